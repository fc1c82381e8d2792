import { readdir, readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  /** The same, smaller; undefined where that is not worth it. */
  readonly gzip: Buffer | undefined
  /** Its name changes with its contents. */
  readonly forEver: boolean
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}
/** Less is not worth a header. */
const WORTH_BYTES = 1_024

/** The built pages, by path ("/assets/x.js"), in memory: about a megabyte, read once. Empty where nothing was built. */
export async function readPages(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, PageFile]> => {
        const path = file.slice(folder.length).split(sep).join('/')
        const bytes = await readFile(file)
        const gzip = bytes.length > WORTH_BYTES ? gzipSync(bytes, { level: 9 }) : undefined
        const type = TYPES[extname(file)] ?? 'application/octet-stream'
        return [path, { type, bytes, gzip, forEver: path.startsWith('/assets/') }]
      }),
    ),
  )
}
