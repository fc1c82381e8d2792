import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const NOT_BUILT = `<!doctype html><title>Postern node</title><p>The page was not built: run <code>npm run build</code> in the folder of Postern.
<code>postern node status</code> says the same, and <a href="/status">/status</a>.`

/** One file of the built page, read from the disk each time: a node keeps nothing of it in memory. Undefined when there is no such file. */
export async function pageFile(folder: string | undefined, path: string): Promise<PageFile | undefined> {
  const name = path === '/' ? 'index.html' : /^\/(mark\.svg|assets\/[\w-][\w.-]*)$/.exec(path)?.[1]
  const type = TYPES[extname(name ?? '')]
  if (name === undefined || type === undefined) return undefined
  const bytes = folder === undefined ? undefined : await readFile(join(folder, name)).catch(() => undefined)
  if (bytes) return { type, bytes }
  return path === '/' ? { type, bytes: Buffer.from(NOT_BUILT) } : undefined
}
