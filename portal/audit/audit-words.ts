import type { AuditView } from '@postern/protocol/api/audit.ts'

const PAGES = { gateway: '/gateways', store: '/stores', person: '/people', group: '/groups', oidc: '/providers' } as const
const OF_PEOPLE: readonly string[] = ['person', 'group', 'oidc']

/** Where what was done something to can be seen; it may be gone. Targets are "store shop", those of grants "store/shop". */
export function pageOf(target: string, seesPeople: boolean): string | undefined {
  const [, kind = '', name = ''] = /^(\w+)[ /](\S+)$/.exec(target) ?? []
  if (OF_PEOPLE.includes(kind) && !seesPeople) return undefined
  return Object.hasOwn(PAGES, kind) ? `${PAGES[kind as keyof typeof PAGES]}/${encodeURIComponent(name)}` : undefined
}

/** Names and values as texts. */
export function detailsOf({ details }: Pick<AuditView, 'details'>): readonly (readonly [string, string])[] {
  return Object.entries(details).map(([name, value]) => [inWords(name), inText(value)] as const)
}

function inText(value: unknown): string {
  if (value === null) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** "expiresAt" is "Expires at". */
function inWords(name: string): string {
  const apart = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return apart.charAt(0).toUpperCase() + apart.slice(1)
}
