import { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { type SealContext, sealAad } from '@postern/protocol/seal-context.ts'
import { z } from 'zod'
import { type GatewayKey, withOthers } from './gateway-key.ts'
import { hpkeOpen, hpkeSeal } from './hpke.ts'

const INFO = 'postern/credential/v1'
const Plain = z.record(z.string().max(64), z.string().max(65_536))

/**
 * Opens a credential that client/seal.ts sealed. What it was sealed for (gateway, kind, host, ...) is part of it: a changed host makes
 * it unreadable.
 */
export async function openSealed(sealed: string, key: GatewayKey, context: SealContext): Promise<Readonly<Record<string, Secret>>> {
  for (const one of withOthers(key)) {
    try {
      const plain = await hpkeOpen(one, INFO, sealAad(context), sealed)
      const secrets = Plain.parse(JSON.parse(new TextDecoder().decode(plain)))
      return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]))
    } catch {
      // The cause is not kept: a parser's message could quote what was inside.
    }
  }
  throw new Fault('CREDENTIAL_UNREADABLE')
}

/** The same credential, for the same place, sealed to another key of the gateway. */
export async function sealAnew(sealed: string, key: GatewayKey, to: string, context: SealContext): Promise<string> {
  let plain: Uint8Array
  try {
    plain = await hpkeOpen(key, INFO, sealAad(context), sealed)
  } catch {
    throw new Fault('CREDENTIAL_UNREADABLE')
  }
  return await hpkeSeal(to, INFO, sealAad(context), plain)
}
