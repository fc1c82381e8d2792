import { readFile } from 'node:fs/promises'
import { audienceOf, type Connector } from '@postern/connectors/contract.ts'
import type { ApplySecret, ApplyStore } from '@postern/protocol/api/apply.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { parseReference, referenceName } from '@postern/protocol/reference.ts'
import { trustGateway } from '../api/known-gateways.ts'
import type { Shell } from '../shell.ts'

/** Reads the secrets of a store where its file says that they are; fails before anything is sent. */
export async function readStoreSecrets(
  store: ApplyStore,
  place: (secret: string) => string,
  shell: Shell,
): Promise<Readonly<Record<string, string>>> {
  const read: Record<string, string> = {}
  for (const [name, from] of Object.entries(store.secrets)) {
    if ('ref' in from) {
      if (!parseReference(from.ref)) throw new Fault('REFERENCE_INVALID', { at: `${place(name)}: ${name}.` })
      read[referenceName(name)] = from.ref
    } else read[name] = await secretOf(from, `${place(name)}: ${name}`, shell)
  }
  return read
}

async function secretOf(from: Exclude<ApplySecret, { readonly ref: string }>, at: string, shell: Shell): Promise<string> {
  if ('env' in from) {
    const value = shell.env[from.env]
    if (value === undefined) throw new Fault('INPUT_INVALID', { at: `${at}: the variable ${from.env} is not set.` })
    return value
  }
  try {
    return (await readFile(from.file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new Fault('INPUT_INVALID', { at: `${at}: the file ${from.file} cannot be read.`, cause })
  }
}

export interface SealStoreParts {
  readonly gateway: GatewayView
  readonly connector: Connector
  readonly store: ApplyStore
  readonly secrets: Readonly<Record<string, string>>
  readonly url: string
  readonly acceptNew: boolean
  readonly shell: Shell
}

export async function sealStore({ gateway, connector, store, secrets, url, acceptNew, shell }: SealStoreParts): Promise<string> {
  const { id, name, publicKey } = gateway
  if (publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: `(gateway ${name})` })
  await trustGateway({ shell, url, gateway: { id, name, publicKey }, acceptNew })
  const { seal } = await import('@postern/client/seal.ts')
  return await seal(publicKey, { gatewayId: id, kind: connector.kind, audience: audienceOf(connector, store.settings) }, secrets)
}
