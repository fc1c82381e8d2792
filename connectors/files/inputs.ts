/** Which files WHAT means. */
import { Fault } from '@postern/protocol/fault.ts'
import type { Column } from '../contract.ts'
import { type Folder, type FoundFile, partsOf } from './folder.ts'
import { type FileFormat, isHidden, type Layout, layoutFor, layoutOf } from './formats.ts'
import { readManifest } from './manifest.ts'

export interface Input extends FoundFile {
  readonly layout: Layout
}

export interface Inputs {
  readonly title: string
  readonly format: FileFormat
  readonly files: readonly Input[]
  /** Columns and rows where a manifest says them. */
  readonly declared: { readonly columns: readonly Column[]; readonly rows: number } | undefined
}

export interface InputOptions {
  readonly format?: FileFormat | undefined
  readonly maxFiles: number
}

export async function findInputs(folder: Folder, what: string, options: InputOptions, signal: AbortSignal): Promise<Inputs> {
  if (/^\s*\(/.test(what)) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: 'A copy from files takes no SELECT.',
      remedy: 'Name a file, a glob such as orders/*.parquet, or a folder that ends in "/".',
    })
  }
  const file = what.endsWith('/') ? undefined : await folder.file(what)
  if (file) return inputs(what, [file], options)
  const names = await folder.names(what)
  if (names) return inFolder(folder, what.endsWith('/') ? what : `${what}/`, names, options)
  if (!/[*?[{]/.test(what)) throw new Fault('FILE_MISSING', { at: what })
  const paths = await folder.match(what, options.maxFiles, signal)
  const visible = paths.filter((path) => !path.split('/').some(isHidden))
  return inputs(what, await sized(folder, visible, options), options)
}

async function inFolder(
  folder: Folder,
  title: string,
  names: readonly { readonly name: string; readonly folder: boolean }[],
  options: InputOptions,
): Promise<Inputs> {
  const base = partsOf(title).join('/')
  const below = (name: string) => (base === '' ? name : `${base}/${name}`)
  const manifest = await readManifest(await folder.resolve(title), title)
  if (manifest) {
    const paths = manifest.files.map(({ name }) => below(name))
    const files = await sized(folder, paths, options)
    if (files.length < paths.length) {
      const there = new Set(files.map(({ path }) => path))
      throw new Fault('FILE_MISSING', { at: `${paths.find((path) => !there.has(path))}, which ${title}_manifest.json lists` })
    }
    const { format, compression, columns, rows } = manifest
    return { title, format, files: files.map((file) => ({ ...file, layout: { format, compression } })), declared: { columns, rows } }
  }
  const data = names.filter((entry) => !entry.folder && !isHidden(entry.name) && (layoutOf(entry.name) || options.format))
  return inputs(title, await sized(folder, data.map(({ name }) => below(name)).sort(), options), options)
}

async function sized(folder: Folder, paths: readonly string[], options: InputOptions): Promise<FoundFile[]> {
  if (paths.length > options.maxFiles) {
    throw new Fault('INPUT_INVALID', {
      at: `More than ${options.maxFiles} files.`,
      remedy: 'Raise maxFiles of the store, or name fewer files.',
    })
  }
  const found: FoundFile[] = []
  for (const path of paths) {
    const file = await folder.file(path)
    if (file) found.push(file)
  }
  return found
}

function inputs(title: string, found: readonly FoundFile[], options: InputOptions): Inputs {
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
  return { title, format: first.layout.format, files, declared: undefined }
}
