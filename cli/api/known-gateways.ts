/**
 * Which key each gateway had when this machine saw it first. The service hands the key out; if it ever hands out another, or another
 * gateway under the same name, somebody may be trying to read the secrets: nothing is sealed to it before a person has compared.
 */
import { join } from 'node:path'
import { fingerprintOf } from '@postern/client/seal.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'
import { note } from '../output/print.ts'
import type { Shell } from '../shell.ts'
import { readPrivate, writePrivate } from './login-file.ts'

const FILE = 'known-gateways.json'
const Pin = z.object({ name: z.string(), fingerprint: z.string(), seenAt: z.string(), url: z.string().optional() })
type Pin = z.infer<typeof Pin>
const Known = z.object({ gateways: z.record(z.string(), Pin) })

export interface Seen {
  readonly shell: Shell
  readonly url: string
  readonly gateway: { readonly id: string; readonly name: string; readonly publicKey: string }
}

export interface TrustParts extends Seen {
  readonly acceptNew: boolean
}

/** What this machine knows of the gateway, and whether that is what the service says now; undefined when it was never seen. */
export async function pinOf(seen: Seen): Promise<(Pin & { readonly same: boolean }) | undefined> {
  const { gateways } = await read(seen.shell)
  // Also by name: an id is as easily made up as a key.
  const pin = gateways[seen.gateway.id] ?? Object.values(gateways).find((one) => one.name === seen.gateway.name && one.url === seen.url)
  return (
    pin && { ...pin, same: pin.fingerprint === (await fingerprintOf(seen.gateway.publicKey)) && Object.hasOwn(gateways, seen.gateway.id) }
  )
}

/** Settles when the key is the known one, was never seen before, or the change is accepted. */
export async function trustGateway(parts: TrustParts): Promise<void> {
  const { shell, gateway, acceptNew } = parts
  const pin = await pinOf(parts)
  if (pin?.same) return
  if (pin && !acceptNew) throw await changed(pin, parts)
  const fingerprint = await fingerprintOf(gateway.publicKey)
  note(
    shell,
    pin
      ? `WARNING: the key of gateway ${gateway.name} has changed. Known from now on: ${fingerprint}`
      : `First secret for gateway ${gateway.name} from this machine. Its key is trusted from now on; compare it with the one on a node: ${fingerprint}`,
  )
  await pinGateway(parts)
}

/** From now on this is the key that the gateway has. */
export async function pinGateway({ shell, url, gateway }: Seen): Promise<void> {
  const known = await read(shell)
  const others = Object.entries(known.gateways).filter(([, pin]) => pin.name !== gateway.name || pin.url !== url)
  const seenAt = new Date(shell.clock.now()).toISOString()
  const pin: Pin = { name: gateway.name, url, fingerprint: await fingerprintOf(gateway.publicKey), seenAt }
  await writePrivate(shell.configFolder, FILE, { gateways: { ...Object.fromEntries(others), [gateway.id]: pin } })
}

export async function changed(pin: Pin, { gateway }: Pick<Seen, 'gateway'>): Promise<Fault> {
  const fingerprint = await fingerprintOf(gateway.publicKey)
  return new Fault('GATEWAY_KEY_CHANGED', {
    at: `Gateway ${gateway.name} had ${pin.fingerprint} since ${pin.seenAt.slice(0, 10)}; the service now says ${fingerprint}. Nothing was sent.`,
  })
}

async function read(shell: Shell): Promise<z.infer<typeof Known>> {
  return (await readPrivate(join(shell.configFolder, FILE), Known)) ?? { gateways: {} }
}
