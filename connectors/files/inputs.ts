/** Which files WHAT means. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../copy-contract.ts'
import { type CsvDialect, dialectOf } from './csv-dialect.ts'
import { LOOKS, partsOf } from './folder.ts'
import { type FileFormat, isHidden, type Layout, layoutFor, layoutOf } from './formats.ts'
import { readManifest } from './manifest.ts'
import type { FoundFile, PlaceEntry, PlaceView } from './place.ts'
import { fewAtOnce } from './publish.ts'

export interface Input extends FoundFile {
  readonly layout: Layout
}

export interface Inputs {
  readonly title: string
  readonly format: FileFormat
  readonly files: readonly Input[]
  /** Columns and rows where a manifest says them. */
  readonly declared: { readonly columns: readonly Column[]; readonly rows: number | null } | undefined
  /** How a manifest says that its CSV is spelled. */
  readonly dialect?: CsvDialect | undefined
  /** Columns that folders stand for, where a manifest says them; they are not in `declared`. */
  readonly folders?: readonly Column[]
  /** The folder below which the files were looked for, with "/" at its end; "" is the place itself. */
  readonly base: string
}

export interface InputOptions {
  readonly format?: FileFormat | undefined
  readonly maxFiles: number
  /** A folder is all that is below it, however deep. */
  readonly recursive?: boolean
}

export async function findInputs(place: PlaceView, what: string, options: InputOptions, signal: AbortSignal): Promise<Inputs> {
  if (/^\s*\(/.test(what)) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: 'A copy from files takes no SELECT.',
      remedy: 'Name a file, a glob such as orders/*.parquet, or a folder that ends in "/".',
    })
  }
  const file = what.endsWith('/') ? undefined : await place.file(what, signal)
  if (file) return inputs(what, [file], file.path.slice(0, file.path.lastIndexOf('/') + 1), options)
  const names = await place.names(what, signal)
  if (names && options.recursive && !(await isSpread(place, what, signal))) {
    const title = what.endsWith('/') ? what : `${what}/`
    const base = partsOf(what)
      .map((part) => `${part}/`)
      .join('')
    return inputs(title, await matching(place, `${base}**/*`, options, signal), base, options)
  }
  if (names) return inFolder({ place, title: what.endsWith('/') ? what : `${what}/`, names, options }, signal)
  if (!/[*?[{]/.test(what)) throw new Fault('FILE_MISSING', { at: what })
  const steps = partsOf(what)
  const fixed = steps.slice(
    0,
    steps.findIndex((step) => /[*?[{]/.test(step)),
  )
  return inputs(what, await matching(place, what, options, signal), fixed.map((step) => `${step}/`).join(''), options)
}

/** Its own manifest says which files it has, and what their folders stand for. */
async function isSpread(place: PlaceView, what: string, signal: AbortSignal): Promise<boolean> {
  return (await readManifest(place, partsOf(what).join('/'), what, signal))?.partitionBy !== undefined
}

async function matching(place: PlaceView, pattern: string, options: InputOptions, signal: AbortSignal): Promise<readonly FoundFile[]> {
  const found = await place.match(pattern, options.maxFiles, signal)
  const visible = found.filter(({ path }) => !path.split('/').some(isHidden))
  refuseTooMany(visible.length, options)
  return visible
}

interface FolderParts {
  readonly place: PlaceView
  readonly title: string
  readonly names: readonly PlaceEntry[]
  readonly options: InputOptions
}

async function inFolder({ place, title, names, options }: FolderParts, signal: AbortSignal): Promise<Inputs> {
  const base = partsOf(title).join('/')
  const below = (name: string) => (base === '' ? name : `${base}/${name}`)
  const manifest = await readManifest(place, base, title, signal)
  if (manifest) {
    const known = new Map(names.map((entry) => [entry.name, entry]))
    const paths = manifest.files.map(({ name }) => below(name))
    const listed = manifest.files.map(({ name }) => ({ path: below(name), entry: known.get(name) }))
    const files = await sized(place, listed, options, signal)
    if (files.length < paths.length) {
      const there = new Set(files.map(({ path }) => path))
      throw new Fault('FILE_MISSING', { at: `${paths.find((path) => !there.has(path))}, which ${title}_manifest.json lists` })
    }
    const { format, compression, rows, dialect, partitionBy = [] } = manifest
    if (partitionBy.length > 0 && files.length === 0) throw new Fault('FILE_MISSING', { at: `${title}: the copy that made it had no rows` })
    const folders = partitionBy.flatMap((by) => manifest.columns.find(({ name }) => name === by) ?? [])
    const columns = manifest.columns.filter((column) => !folders.includes(column))
    // One that copied files as they were may know nothing of what is in them.
    const declared = columns.length > 0 ? { columns, rows } : undefined
    const layout = { format: options.format === 'binary' ? options.format : format, compression }
    const inLayout = files.map((file) => ({
      ...file,
      layout: declared || options.format === 'binary' ? layout : (layoutOf(file.path) ?? layout),
    }))
    return {
      title,
      format: layout.format,
      files: inLayout,
      declared,
      dialect: dialect ?? plainDialect(layout.format),
      ...(folders.length > 0 && { folders }),
      base: base === '' ? '' : `${base}/`,
    }
  }
  const data = names.filter((entry) => !entry.folder && !isHidden(entry.name) && (layoutOf(entry.name) || options.format))
  const listed = data.map((entry) => ({ path: below(entry.name), entry })).sort((a, b) => (a.path < b.path ? -1 : 1))
  return inputs(title, await sized(place, listed, options, signal), base === '' ? '' : `${base}/`, options)
}

/** What a copy has written is not as the store's settings say, but as it was written. */
function plainDialect(format: FileFormat): CsvDialect | undefined {
  return format === 'csv' || format === 'tsv' ? dialectOf({}, format) : undefined
}

interface Listed {
  readonly path: string
  readonly entry: PlaceEntry | undefined
}

async function sized(place: PlaceView, listed: readonly Listed[], options: InputOptions, signal: AbortSignal): Promise<FoundFile[]> {
  refuseTooMany(listed.length, options)
  const found = await fewAtOnce(listed, LOOKS, async ({ path, entry }) => {
    const { bytes, version } = entry ?? {}
    return bytes === undefined ? await place.file(path, signal) : { path, bytes, ...(version === undefined ? {} : { version }) }
  })
  return found.filter((file) => file !== undefined)
}

function refuseTooMany(files: number, { maxFiles }: InputOptions): void {
  if (files <= maxFiles) return
  throw new Fault('INPUT_INVALID', { at: `More than ${maxFiles} files.`, remedy: 'Raise maxFiles of the store, or name fewer files.' })
}

function inputs(title: string, found: readonly FoundFile[], base: string, options: InputOptions): Inputs {
  const files = found.map((file) => ({ ...file, layout: layoutFor(file.path, options.format, file.path) }))
  const [first] = files
  if (!first) throw new Fault('FILE_MISSING', { at: title })
  const other = files.find(({ layout }) => layout.format !== first.layout.format)
  if (other) {
    throw new Fault('FORMAT_UNKNOWN', {
      at: `${title} holds several formats: ${first.path} and ${other.path}.`,
      remedy: 'Name the files of one format with a glob, such as orders/*.parquet.',
    })
  }
  return { title, format: first.layout.format, files, declared: undefined, base }
}
