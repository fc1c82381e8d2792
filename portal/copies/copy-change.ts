/** What follows from a change of the form: a target is proposed until one is typed, and what cannot be is let go. Pure. */
import { type CopyForm, type CopyKinds, holdsFiles, NAME_MARK, nameOf } from './copy-form.ts'

export function changed(form: CopyForm, part: Partial<CopyForm>, kindsOf: (form: CopyForm) => CopyKinds): CopyForm {
  const next = withPossible({ ...form, ...part, ...ofOtherStores(form, part) }, kindsOf)
  const isProposed = form.to === '' || form.to === proposedTarget(form, kindsOf(form))
  return isProposed && part.to === undefined ? { ...next, to: proposedTarget(next, kindsOf(next)) } : next
}

/** What was chosen of one store means nothing in another. */
function ofOtherStores(form: CopyForm, part: Partial<CopyForm>): Partial<CopyForm> {
  const source = part.source !== undefined && part.source !== form.source
  const sink = part.sink !== undefined && part.sink !== form.sink
  return {
    ...(source && { from: part.from ?? [], read: {}, splitBy: '', watermark: '' }),
    ...(sink && { write: {}, node: '', key: [] }),
  }
}

function withPossible(form: CopyForm, kindsOf: (form: CopyForm) => CopyKinds): CopyForm {
  const { source, sink } = kindsOf(form)
  const modes = sink?.can.sinkModes ?? []
  return {
    ...form,
    takes: holdsFiles(source) ? 'names' : form.takes,
    partitionBy: sink && !holdsFiles(sink) ? [] : form.partitionBy,
    mode: modes.length === 0 || modes.includes(form.mode) ? form.mode : (modes[0] ?? form.mode),
  }
}

/** Empty while nobody can say. */
export function proposedTarget({ takes, from, sink: name, partitionBy }: CopyForm, { sink }: CopyKinds): string {
  const [first] = from
  if (name === '' || sink === undefined || (takes === 'names' && first === undefined)) return ''
  const base = takes === 'query' ? 'result' : from.length > 1 || first === undefined ? NAME_MARK : nameOf(first)
  if (!holdsFiles(sink)) return base
  return `${base}.parquet${partitionBy.length > 0 ? '/' : ''}`
}
