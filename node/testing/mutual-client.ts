import { systemRandom } from '@postern/base/random.ts'
import { type GatewayId, type NodeId, newId } from '@postern/protocol/ids.ts'
import { ChannelClient } from '../channel/channel-client.ts'
import { Identity } from '../identity/identity.ts'
import type { NodeFile } from '../state/node-file.ts'

/** A client of channels in mode `mutual`, with whatever certificate a test gives it. */
export function mutualClient(parts: { readonly gatewayId: GatewayId; readonly credentials: () => NodeFile['channel'] }): ChannelClient {
  const { gatewayId, credentials } = parts
  const self = { gatewayId, nodeId: newId<NodeId>('nod', systemRandom.bytes), identity: Identity.generate(), random: systemRandom }
  return new ChannelClient({ self, credentials, own: () => undefined, modeFor: () => 'mutual' })
}
