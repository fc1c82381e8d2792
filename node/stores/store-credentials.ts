import { audienceOf, type Connector } from '@postern/connectors/contract.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { NodeStore } from '@postern/protocol/node-api.ts'
import type { GatewayKey } from '../vault/gateway-key.ts'

/** The store's secrets, opened with the gateway's key. */
export async function secretsOf(store: NodeStore, connector: Connector, key: GatewayKey | undefined) {
  if (store.sealed === null) return {}
  if (!key) {
    throw new Fault('CREDENTIAL_UNREADABLE', {
      at: `(${store.name}: this node does not have the gateway's key yet)`,
      remedy: 'Start a node that has it: it is handed over on the channel (port 8050).',
    })
  }
  const { openSealed } = await import('../vault/open.ts')
  return openSealed(store.sealed, key, { gatewayId: store.gatewayId, kind: store.kind, audience: audienceOf(connector, store.settings) })
}

/** Loaded on first use: an idle node carries neither drivers nor their schemas. */
export async function connectorOf(kind: string): Promise<Connector> {
  const { CONNECTORS } = await import('@postern/connectors/registry.ts')
  const connector = CONNECTORS.get(kind)
  if (!connector) throw new Fault('STORE_KIND_UNKNOWN', { at: `(${kind}; this node has ${[...CONNECTORS.keys()].join(', ')})` })
  return connector
}
