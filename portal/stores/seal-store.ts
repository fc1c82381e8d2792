import type { GatewayView } from '@postern/protocol/api/gateways.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { audienceByKind } from '@postern/protocol/seal-context.ts'
import { sealedPartsOf, type TypedSecrets } from './store-form.ts'

export interface SealedParts {
  readonly sealed?: string
  readonly sealedTo?: string
  readonly secrets?: string[]
}

/** Nothing where no secret was typed. What is sealed is bound to the gateway and to where it may be sent. */
export async function sealSecrets(
  gateway: Pick<GatewayView, 'id' | 'name' | 'publicKey'>,
  kind: StoreKindView,
  settings: StoreSettings,
  secrets: TypedSecrets,
): Promise<SealedParts> {
  const { plain, names } = sealedPartsOf(secrets)
  if (names.length === 0) return {}
  const { id, name, publicKey } = gateway
  if (publicKey === null) throw new Fault('GATEWAY_KEY_MISSING', { at: `(gateway ${name})` })
  // Only here is the sealing loaded: most visits seal nothing.
  const { seal } = await import('@postern/client/seal.ts')
  const sealed = await seal(publicKey, { gatewayId: id, kind: kind.kind, audience: audienceByKind(kind, settings) }, plain)
  return { sealed, sealedTo: publicKey, secrets: [...names] }
}
