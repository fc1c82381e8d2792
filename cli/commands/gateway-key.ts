/** `postern gateway rotate-key | trust | forget-recovery-key`: the key that credentials are sealed to. */
import { fingerprintOf } from '@postern/client/seal.ts'
import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { connect } from '../api/connect.ts'
import { changed, pinGateway, pinOf } from '../api/known-gateways.ts'
import { askYes } from '../input/ask-yes.ts'
import { note, printFacts, printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface TrustFlags {
  readonly fingerprint?: string
  readonly json?: boolean
}

/** A node makes a new key and seals every credential to it; this machine follows when the answer shows that the old key had a hand in it. */
export async function rotateKey(name: string, { json }: { readonly json?: boolean }, shell: Shell): Promise<void> {
  const { client, url } = await connect(shell)
  const gateway = sealable(await client.gateways.get(name, shell.signal))
  const pin = await pinOf({ shell, url, gateway })
  if (pin && !pin.same) throw await changed(pin, { gateway })
  const { rotationChallenge } = await import('@postern/client/rotation.ts')
  const challenge = await rotationChallenge(gateway.id, gateway.publicKey)
  const rotated = await client.gateways.rotateKey(name, challenge.sealed, shell.signal)
  const proven = rotated.proof !== undefined && (await challenge.isProof(rotated.publicKey, rotated.proof))
  const next = { ...gateway, publicKey: rotated.publicKey }
  if (pin && !proven) throw await changed(pin, { gateway: next })
  if (pin) await pinGateway({ shell, url, gateway: next })
  const { fingerprint, resealed, unreadable, node } = rotated
  if (json) return printJson(shell, { name, fingerprint, resealed, unreadable, node, proven })
  printLines(shell, `Gateway ${name} has a new key, made by ${node}; ${resealed} credentials are sealed to it.`, `  ${fingerprint}`)
  if (unreadable.length > 0) note(shell, `These could not be opened before and cannot now; set them again: ${unreadable.join(', ')}`)
  note(shell, 'Other machines that seal credentials ask for `postern gateway trust` first: tell them this fingerprint.')
}

/** After a person has compared: with the fingerprint given, or a yes. */
export async function trustKey(name: string, flags: TrustFlags, shell: Shell): Promise<void> {
  const { client, url } = await connect(shell)
  const gateway = sealable(await client.gateways.get(name, shell.signal))
  const fingerprint = await fingerprintOf(gateway.publicKey)
  const before = (await pinOf({ shell, url, gateway }))?.fingerprint
  if (flags.fingerprint !== undefined && plain(flags.fingerprint) !== plain(fingerprint)) {
    throw new Fault('GATEWAY_KEY_CHANGED', {
      at: `The service says ${fingerprint}, you say ${flags.fingerprint}.`,
      remedy:
        'Do not seal anything to it before you know why. Ask for the fingerprint on a node: GET /status of its console, or `node join`.',
    })
  }
  if (flags.fingerprint === undefined && before === fingerprint) {
    if (flags.json) return printJson(shell, { name, fingerprint, before })
    return printLines(shell, `This machine knows that key of gateway ${name} already: ${fingerprint}`)
  }
  if (flags.fingerprint === undefined) {
    if (!flags.json)
      printFacts(shell, [
        ['known on this machine', before ?? '-'],
        ['the service says', fingerprint],
      ])
    const yes = await askYes('Does a node show the same as the service?', shell)
    if (!yes) throw new Fault('GATEWAY_KEY_CHANGED', { at: 'Nothing was changed.', remedy: 'In a script, say which with --fingerprint.' })
  }
  await pinGateway({ shell, url, gateway })
  if (flags.json) return printJson(shell, { name, fingerprint, before: before ?? null })
  printLines(shell, `Known from now on for gateway ${name}: ${fingerprint}`)
}

export async function forgetRecoveryKey(name: string, { json }: { readonly json?: boolean }, shell: Shell): Promise<void> {
  const { client } = await connect(shell)
  await client.gateways.forgetRecoveryKey(name, shell.signal)
  if (json) return printJson(shell, { name, recoveryKeyAt: null })
  printLines(shell, `The recovery key of gateway ${name} opens nothing any more.`)
}

function sealable(gateway: GatewayView): GatewayView & { readonly publicKey: string } {
  const { publicKey } = gateway
  if (publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: `(gateway ${gateway.name})` })
  return { ...gateway, publicKey }
}

const plain = (fingerprint: string) => fingerprint.toLowerCase().replace(/[^0-9a-f]/g, '')
