/** What a source tells of its files in a plan, in few bytes: a plan of ten thousand files passes from node to service and back. */
import { z } from 'zod'
import type { Part } from '../copy-contract.ts'
import type { Compression, FileFormat } from './formats.ts'
import type { Input } from './inputs.ts'
import type { RowRange } from './reading.ts'

/** Rows of a CSV file, by bytes. */
export interface CsvRange {
  readonly from: number
  readonly to: number
  /** Rows in it, and the number of its first line. */
  readonly rows: number
  readonly line: number
  /** It can be passed on as it is: without returns at the ends of lines, empty lines, or a last line that has no end. */
  readonly tidy: boolean
}

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'zstd']

/** Name below `in`, bytes, version, and which of COMPRESSIONS it has, if any. */
const FileJson = z.tuple([z.string(), z.number(), z.string().nullable(), z.number().optional()])
const OwnJson = z.object({
  in: z.string(),
  files: z.array(FileJson),
  /** Of a Parquet file, from and up to (not including); all when left out. */
  rows: z.object({ from: z.number(), to: z.number() }).optional(),
  range: z.object({ from: z.number(), to: z.number(), rows: z.number(), line: z.number(), tidy: z.boolean() }).optional(),
  /** Values of the columns that folders stand for. */
  partition: z.array(z.string().nullable()).optional(),
})

export interface PartFiles {
  readonly files: readonly Input[]
  readonly rows?: RowRange | undefined
  readonly range?: CsvRange | undefined
  readonly partition?: readonly (string | null)[] | undefined
}

export function packPart({ files, rows, range, partition }: PartFiles): z.input<typeof OwnJson> {
  const folder = commonFolder(files.map(({ path }) => path))
  const list = files.map(({ path, bytes, version, layout }): z.input<typeof FileJson> => {
    const name = path.slice(folder.length)
    const packed = COMPRESSIONS.indexOf(layout.compression)
    return packed > 0 ? [name, bytes, version ?? null, packed] : [name, bytes, version ?? null]
  })
  return {
    in: folder,
    files: list,
    ...(rows ? { rows } : {}),
    ...(range ? { range } : {}),
    ...(partition ? { partition: [...partition] } : {}),
  }
}

export function unpackPart(part: Part, format: FileFormat): PartFiles {
  const own = OwnJson.parse(part.own)
  const files = own.files.map(([name, bytes, version, packed]): Input => {
    const file = { path: own.in + name, bytes, layout: { format, compression: COMPRESSIONS[packed ?? 0] ?? 'none' } }
    return version === null ? file : { ...file, version }
  })
  return { files, rows: own.rows, range: own.range, partition: own.partition }
}

function commonFolder(paths: readonly string[]): string {
  const [first = ''] = paths
  let folder = first.slice(0, first.lastIndexOf('/') + 1)
  while (folder !== '' && !paths.every((path) => path.startsWith(folder)))
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
  return folder
}
