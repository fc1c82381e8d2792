/** What a sealed credential is bound to. Without the schemas of the API, so that a browser loads little. */
import type { StoreKindView } from './api/store-kinds.ts'
import type { StoreSettings } from './api/stores.ts'

/** How a credential is sealed is bound to where it may be sent: a changed host cannot be given an old password. */
export interface SealContext {
  readonly gatewayId: string
  readonly kind: string
  /** Settings that say where the secret goes: the ones whose schema has `audience: true`. */
  readonly audience: StoreSettings
}

/** The bytes that authenticate a sealed credential (HPKE `aad`), the same on both sides. */
export function sealAad(context: SealContext): Uint8Array<ArrayBuffer> {
  const audience = Object.keys(context.audience)
    .sort()
    .map((name) => [name, String(context.audience[name])])
  return new TextEncoder().encode(JSON.stringify(['postern/credential/v1', context.gatewayId, context.kind, audience]))
}

/**
 * Where a store's secrets go, for `SealContext.audience`: what the node makes of the settings when it opens them, so numbers must be
 * numbers already and defaults are filled in here.
 */
export function audienceByKind({ config }: Pick<StoreKindView, 'config'>, settings: StoreSettings): StoreSettings {
  const audience: Record<string, string | number | boolean> = {}
  for (const [name, schema] of Object.entries(config.properties)) {
    const value = settings[name] ?? schema.default
    if (schema.audience && value !== undefined) audience[name] = value
  }
  return audience
}
