/** Reads the YAML of `postern apply`: what is wrong is said with line and column. No I/O. */
import { APPLY_KINDS, ApplyFile } from '@postern/protocol/api/apply.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import type { z } from 'zod'

export interface ApplySource {
  readonly file: ApplyFile
  /** "shop.yaml:12:5", of what stands at a path. */
  readonly where: (...path: readonly (string | number)[]) => string
}

type Path = readonly PropertyKey[]
interface Read {
  readonly document: Document.Parsed
  readonly file: ApplyFile
}

/** Several documents of a file count as one; nothing may stand in two of them. */
export function readApplySource(name: string, text: string): ApplySource {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  const documents = 'empty' in parsed ? [] : parsed.filter((document) => document.contents !== null || document.errors.length > 0)
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const read = documents.map((document) => ({ document, file: parse(document, at) }))
  const merged: Record<string, unknown> = {}
  for (const one of read) merge(merged, one, at)
  const where = (...path: readonly (string | number)[]) => {
    const found = read.map(({ document }) => offsetOf(document, path)).find((offset) => offset !== undefined)
    return found === undefined ? name : at(found)
  }
  return { file: merged as ApplyFile, where }
}

function parse(document: Document.Parsed, at: (offset: number) => string): ApplyFile {
  const [broken] = document.errors
  if (broken) throw invalid(`${at(broken.pos[0])}: ${broken.message.split('\n')[0] ?? ''}`)
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    throw invalid(`${at(0)}: ${cause instanceof Error ? cause.message : 'cannot be read'}`)
  }
  const parsed = ApplyFile.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw invalid(said(document, parsed.error, at))
}

function said(document: Document.Parsed, error: z.ZodError, at: (offset: number) => string): string {
  const [issue] = error.issues
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const path = [...(issue?.path ?? []), ...keys.slice(0, 1)]
  const place = at(offsetOf(document, path) ?? 0)
  const name = path.map(String).join('.')
  return `${place}: ${keys.length > 0 ? `there is no "${name}" here` : `${name === '' ? '' : `${name}: `}${issue?.message ?? 'not valid'}`}`
}

/** Where the deepest part of the path that is there begins; of a mapping's entry its key. */
function offsetOf(document: Document.Parsed, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const steps = path.slice(0, length)
    const parent = document.getIn(steps.slice(0, -1), true) as { readonly items?: readonly unknown[] } | undefined
    const pair = parent?.items?.find((item) => keyOf(item) === String(steps.at(-1)))
    const key = (pair as { readonly key?: { readonly range?: readonly number[] } } | undefined)?.key
    const node = (key ?? document.getIn(steps, true)) as { readonly range?: readonly number[] } | undefined
    if (node?.range?.[0] !== undefined && (length === path.length || pair !== undefined || document.hasIn(steps))) return node.range[0]
  }
  return undefined
}

const keyOf = (item: unknown): string | undefined => {
  const key = (item as { readonly key?: { readonly value?: unknown } } | null)?.key
  return key?.value === undefined ? undefined : String(key.value)
}

function merge(merged: Record<string, unknown>, { document, file }: Read, at: (offset: number) => string): void {
  for (const kind of APPLY_KINDS) {
    const given = file[kind]
    if (given === undefined) continue
    if (Array.isArray(given)) {
      merged[kind] = [...((merged[kind] as unknown[] | undefined) ?? []), ...given]
      continue
    }
    const before = (merged[kind] as Record<string, unknown> | undefined) ?? {}
    const twice = Object.keys(given).find((name) => Object.hasOwn(before, name))
    if (twice !== undefined) throw invalid(`${at(offsetOf(document, [kind, twice]) ?? 0)}: ${kind}.${twice} stands in this file twice`)
    merged[kind] = { ...before, ...given }
  }
}

const invalid = (at: string) =>
  new Fault('INPUT_INVALID', { at: `${at}.`, remedy: 'Correct the named place; `postern apply --schema` says what there is.' })
