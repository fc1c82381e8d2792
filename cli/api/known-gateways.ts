/**
 * Which key each gateway had when this machine sealed to it first. The service hands the key out; if it ever hands out
 * another, somebody may be trying to read the secrets, so nothing is sealed to it unasked.
 */
import { join } from 'node:path'
import { fingerprintOf } from '@postern/client/seal.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { note } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import { readPrivate, writePrivate } from './login-file.ts'

const FILE = 'known-gateways.json'
const Known = z.object({ gateways: z.record(z.string(), z.object({ name: z.string(), fingerprint: z.string(), seenAt: z.string() })) })

export interface TrustParts {
  readonly shell: Shell
  readonly url: string
  readonly gateway: { readonly id: string; readonly name: string; readonly publicKey: string }
  readonly acceptNew: boolean
}

/** Settles when the key is the known one, was never seen before, or the change is accepted. */
export async function trustGateway(parts: TrustParts): Promise<void> {
  const { shell, gateway } = parts
  const fingerprint = await fingerprintOf(gateway.publicKey)
  const known = (await readPrivate(join(shell.configFolder, FILE), Known)) ?? { gateways: {} }
  const before = known.gateways[gateway.id]
  if (before?.fingerprint === fingerprint) return
  if (before && !parts.acceptNew) {
    throw new Fault('GATEWAY_KEY_CHANGED', {
      at: `Gateway ${gateway.name} had ${before.fingerprint} since ${before.seenAt.slice(0, 10)}; the service now says ${fingerprint}. Nothing was sent.`,
    })
  }
  note(
    shell,
    before
      ? `WARNING: the key of gateway ${gateway.name} has changed. Known from now on: ${fingerprint}`
      : `First secret for gateway ${gateway.name} from this machine. Its key is trusted from now on; compare it with the one on a node: ${fingerprint}`,
  )
  const seenAt = new Date(shell.clock.now()).toISOString()
  const gateways = { ...known.gateways, [gateway.id]: { name: gateway.name, fingerprint, seenAt } }
  await writePrivate(shell.configFolder, FILE, { gateways })
}
