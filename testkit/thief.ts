/** Who has got a dump of the service's database, and tries to get the gateway's key with it. */
import { Identity } from '@postern/node/identity/identity.ts'
import { mutualClient } from '@postern/node/testing/mutual-client.ts'
import { makeGatewayKey } from '@postern/node/vault/gateway-key.ts'
import { type Claim, requestFor } from '@postern/node/vault/hand-over.ts'
import { GatewayId, type NodeId } from '@postern/protocol/ids.ts'
import { HandOverChallenge, NODE_PATHS } from '@postern/protocol/link.ts'
import type { Peer } from '@postern/protocol/node-api.ts'
import { forgeCertificate } from '@postern/service/testing/forge-certificate.ts'
import type { TestDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

export interface Loot {
  readonly authority: { readonly certificate: string; readonly privateKey: string }
  readonly gatewayId: GatewayId
  readonly publicKey: string
  readonly verifiers: readonly string[]
  readonly nodes: readonly { readonly id: NodeId; readonly name: string; readonly beat: { channel: { address: string } } }[]
}

/** All that a dump of the service's database has. */
export async function loot(kept: TestDatabase): Promise<Loot> {
  const [authority] = await kept.query<{ certificate: string; private_key: string }>('select certificate, private_key from authority')
  const [gateway] = await kept.query<{ id: string; public_key: string }>('select id, public_key from gateway')
  const verifiers = await kept.query<{ verifier: string }>('select verifier from gateway_key')
  const members = await waitFor(
    'the addresses of all nodes are in the database',
    () => kept.query<Loot['nodes'][number]>('select id, name, beat from node order by place'),
    (rows) => rows.length === 3 && rows.every(({ beat }) => beat?.channel),
  )
  if (!authority || !gateway) throw new Error('There is nothing to steal.')
  return {
    authority: { certificate: authority.certificate, privateKey: authority.private_key },
    gatewayId: GatewayId.parse(gateway.id),
    publicKey: gateway.public_key,
    verifiers: verifiers.map(({ verifier }) => verifier),
    nodes: members,
  }
}

interface Theft {
  readonly as: string
  readonly claim: Claim
  readonly stolen: Loot
  readonly identity?: Identity
}

/** Asks n1 over its channel, with a certificate made with the stolen CA. */
export async function steal({ as, claim, stolen, identity = Identity.generate() }: Theft): Promise<unknown> {
  const { authority, gatewayId, publicKey, nodes: members } = stolen
  const [victim] = members
  if (!victim) throw new Error('There is no node.')
  const forged = await forgeCertificate(authority, { gatewayId, nodeId: as })
  const channel = mutualClient({ gatewayId, credentials: () => ({ ...forged, authority: authority.certificate }) })
  const peer = { id: victim.id, name: victim.name, channelAddress: victim.beat.channel.address } as Peer
  try {
    const signal = AbortSignal.timeout(10_000)
    const { challenge } = HandOverChallenge.parse(await channel.call(peer, NODE_PATHS.handOverChallenge, {}, signal))
    const ephemeral = makeGatewayKey().publicKey
    const about = { gateway: gatewayId, asker: as, holder: victim.id, challenge, ephemeral, wanted: publicKey }
    return await channel.call(peer, NODE_PATHS.handOver, requestFor(about, claim, identity), signal)
  } finally {
    channel.close()
  }
}
