/** What the tests of the contract share. */
import type { Readable } from 'node:stream'
import type { Session } from '@postern/connectors/contract.ts'
import type { ConnectorRig, StoreAccess } from './rig.ts'

export interface SuiteParts {
  readonly rig: () => ConnectorRig
  readonly session: () => Session
  readonly open: (access: StoreAccess) => Promise<Session>
}

export const limit = () => AbortSignal.timeout(30_000)

export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the rig or the session lacks what the connector claims')
  return value
}

export async function drained(bytes: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
