/** What of a copy can be refused before there is a run: pure. */
import type { Connector } from '@postern/connectors/contract.ts'
import { CONNECTORS } from '@postern/connectors/registry.ts'
import type { Copy } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { GatewayId } from '@postern/protocol/ids.ts'
import type { z } from 'zod'

interface End {
  readonly name: string
  readonly kind: string
  readonly gatewayId: GatewayId
}

export function checkCopy(copy: Copy, source: End, sink: End): void {
  const [from, into] = [CONNECTORS.get(source.kind), CONNECTORS.get(sink.kind)]
  if (!from?.can.source) throw new Fault('COPY_UNSUPPORTED', { at: `Nothing can be copied from a store of kind ${source.kind}.` })
  const can = into?.can.sink
  if (!into || !can) throw new Fault('COPY_UNSUPPORTED', { at: `Nothing can be copied to a store of kind ${sink.kind}.` })
  if (!can.modes.includes(copy.mode)) {
    throw new Fault('COPY_UNSUPPORTED', { at: `A store of kind ${sink.kind} has no mode ${copy.mode}, only ${can.modes.join(', ')}.` })
  }
  if (copy.guarantee === 'exactly-once' && !can.exactlyOnce) {
    throw new Fault('GUARANTEE_IMPOSSIBLE', { at: `A store of kind ${sink.kind} cannot commit rows and their record together.` })
  }
  if (copy.mode === 'upsert' && copy.key.length === 0) {
    throw new Fault('INPUT_INVALID', { at: 'key: upsert needs the names of the key columns.' })
  }
  if (copy.watermark !== undefined && copy.mode === 'overwrite') {
    throw new Fault('INPUT_INVALID', {
      at: 'watermark: only rows above the last watermark are read, and overwrite would take the others away.',
      remedy: 'Copy with --mode append or upsert.',
    })
  }
  checkOptions('read', copy.read, from)
  checkOptions('write', copy.write, into)
}

/** Before a run that has succeeded is opened again. */
export function checkRepair(copy: Copy, kind: string): void {
  const can = CONNECTORS.get(kind)?.can.sink
  if (!can?.repairs) throw new Fault('COPY_UNSUPPORTED', { at: `${kind}: the rows of a part cannot be replaced there.`, remedy: AGAIN })
  if (copy.verify === 'none') {
    throw new Fault('INPUT_INVALID', { at: 'The copy was not verified, so nothing tells which parts differ.', remedy: AGAIN })
  }
  if (copy.mode !== 'append' && !can.repairsPublished) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: `${kind}: nothing tells the rows of the parts apart once they are published (${copy.mode}).`,
      remedy: AGAIN,
    })
  }
  // While it is open, the next copy would begin where the one before it ended.
  if (copy.watermark !== undefined) {
    throw new Fault('COPY_UNSUPPORTED', {
      at: 'An incremental copy that has succeeded is where the next one begins: it stays as it is.',
      remedy: AGAIN,
    })
  }
}

const AGAIN = 'Start the copy again.'

/** Rows left out go where a person finds files. */
export function checkRejects(store: End, sink: End): void {
  if (store.gatewayId !== sink.gatewayId)
    throw new Fault('INPUT_INVALID', { at: `rejects: store ${store.name} is not of the gateway that runs the copy.` })
  const can = CONNECTORS.get(store.kind)?.can
  if (!can?.sink || can.sink.modes.includes('upsert'))
    throw new Fault('INPUT_INVALID', {
      at: `rejects: a store of kind ${store.kind} holds no files.`,
      remedy: 'Name a file or object store.',
    })
}

/** Only settings that the connector marks for copies, with values that its schema takes. */
function checkOptions(side: 'read' | 'write', options: Copy['read'], connector: Connector): void {
  const shape = connector.config.shape as Readonly<Record<string, z.ZodType>>
  const known = Object.keys(shape).filter((name) => shape[name]?.meta()?.['copy'] === true)
  for (const [name, value] of Object.entries(options)) {
    const schema = known.includes(name) ? shape[name] : undefined
    if (!schema) {
      const may = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
      throw new Fault('INPUT_INVALID', { at: `${side}: a store of kind ${connector.kind} has no option ${name} for one copy; ${may}.` })
    }
    const parsed = schema.safeParse(value)
    if (!parsed.success)
      throw new Fault('INPUT_INVALID', { at: `${side} ${name}: ${parsed.error.issues[0]?.message ?? 'not a value that it takes'}` })
  }
}
