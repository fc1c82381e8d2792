/** Where in the portal something can be done about a fault. Pure. */

/** What it happened to, as far as the page knows. */
export interface FaultPlace {
  readonly gateway?: string | undefined
  readonly stores?: readonly string[]
  readonly run?: string
}

export type FaultLink =
  | { readonly to: 'store-settings' | 'store-tables'; readonly store: string }
  | { readonly to: 'gateway'; readonly gateway: string }
  | { readonly to: 'gateway-setting'; readonly gateway: string; readonly setting: string }
  | { readonly to: 'verification' | 'copy-anew'; readonly run: string }

const settingsOf = ({ stores = [] }: FaultPlace): readonly FaultLink[] => stores.map((store) => ({ to: 'store-settings', store }))
const tablesOf = ({ stores = [] }: FaultPlace): readonly FaultLink[] => stores.map((store) => ({ to: 'store-tables', store }))
const nodesOf = ({ gateway }: FaultPlace): readonly FaultLink[] => (gateway === undefined ? [] : [{ to: 'gateway', gateway }])
const limitOf =
  (setting: string) =>
  ({ gateway }: FaultPlace): readonly FaultLink[] =>
    gateway === undefined ? [] : [{ to: 'gateway-setting', gateway, setting }]
const copyAnew = ({ run }: FaultPlace): readonly FaultLink[] => (run === undefined ? [] : [{ to: 'copy-anew', run }])
const verification = ({ run }: FaultPlace): readonly FaultLink[] => (run === undefined ? [] : [{ to: 'verification', run }])

const LINKS: Readonly<Record<string, (place: FaultPlace) => readonly FaultLink[]>> = {
  STORE_DENIED: settingsOf,
  STORE_UNREACHABLE: settingsOf,
  STORE_SETTINGS_INVALID: settingsOf,
  HOST_DENIED: settingsOf,
  CREDENTIAL_UNREADABLE: settingsOf,
  REFERENCE_INVALID: settingsOf,
  REFERENCE_DENIED: settingsOf,
  REFERENCE_MISSING: settingsOf,
  TABLE_MISSING: tablesOf,
  FILE_MISSING: tablesOf,
  TABLE_EXISTS: copyAnew,
  FILE_EXISTS: copyAnew,
  FORMAT_UNKNOWN: copyAnew,
  COLUMN_MISMATCH: copyAnew,
  COPY_UNSUPPORTED: copyAnew,
  GUARANTEE_IMPOSSIBLE: copyAnew,
  PLACE_NOT_SHARED: copyAnew,
  VERIFICATION_FAILED: verification,
  STORE_BUSY: limitOf('jobConcurrency'),
  GATEWAY_AT_LIMIT: limitOf('queryConcurrency'),
  GATEWAY_QUEUE_FULL: limitOf('queryConcurrency'),
  GATEWAY_AT_CPU_LIMIT: limitOf('cpuPercent'),
  GATEWAY_AT_MEMORY_LIMIT: limitOf('memoryPercent'),
  NO_NODE_AVAILABLE: nodesOf,
  NODE_OFFLINE: nodesOf,
  CHANNEL_BROKEN: nodesOf,
  BRIDGE_BROKEN: nodesOf,
}

export function linksOf(code: string, place: FaultPlace): readonly FaultLink[] {
  const links = Object.hasOwn(LINKS, code) ? LINKS[code]?.(place) : undefined
  return links ?? []
}
