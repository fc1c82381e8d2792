/** What stores may refer to on this node, by what its administrator has said. Pure. */
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Reference } from '@postern/protocol/reference.ts'
import type { Environment } from '../calls/proxy.ts'

export interface ReferenceRules {
  /** Hosts that a secret which is referred to may go to; any where it is left out. */
  readonly hosts?: readonly string[] | undefined
  /** Paths in Vault; any that the node's token may read where it is left out. */
  readonly vaultPaths?: readonly string[] | undefined
  /** So long a secret that was read is used; then it is read again. */
  readonly lifeMs: number
}

const LIFE_SECONDS = { least: 5, most: 86_400, usual: 300 } as const

export function referenceRules(environment: Environment): ReferenceRules {
  return {
    hosts: listOf(environment['POSTERN_REF_HOSTS']),
    vaultPaths: listOf(environment['POSTERN_REF_VAULT_PATHS']),
    lifeMs: secondsOf(environment['POSTERN_REF_SECONDS']) * 1_000,
  }
}

/** Throws REFERENCE_DENIED with what to change. `audience`: the settings that say where the secret will go. */
export function checkReference(reference: Reference, audience: StoreSettings, rules: ReferenceRules): void {
  const { hosts, vaultPaths } = rules
  if (reference.is === 'vault' && vaultPaths && !vaultPaths.some((allowed) => fits(allowed, reference.path))) {
    throw new Fault('REFERENCE_DENIED', { at: `(${reference.path} is none of POSTERN_REF_VAULT_PATHS)` })
  }
  if (!hosts) return
  const there = hostsOf(audience)
  const foreign = there.find((host) => !hosts.some((allowed) => fits(allowed.toLowerCase(), host)))
  if (foreign !== undefined) throw new Fault('REFERENCE_DENIED', { at: `(${foreign} is none of POSTERN_REF_HOSTS)` })
  // Where nothing says where it goes, it may go anywhere.
  if (there.length === 0)
    throw new Fault('REFERENCE_DENIED', { at: '(the store names no host, and POSTERN_REF_HOSTS says which are allowed)' })
}

/** "db.internal", "*.internal" (any number of steps), "secret/data/shop/*". */
function fits(allowed: string, text: string): boolean {
  if (allowed.startsWith('*')) return text.endsWith(allowed.slice(1)) && text.length >= allowed.length
  if (allowed.endsWith('*')) return text.startsWith(allowed.slice(0, -1)) && text.length >= allowed.length
  return text === allowed
}

/** Host names and addresses among the settings, those within URLs too. Numbers and switches are none. */
function hostsOf(audience: StoreSettings): string[] {
  return Object.values(audience).flatMap((value) => {
    if (typeof value !== 'string') return []
    return [(URL.canParse(value) ? new URL(value).hostname : value).toLowerCase()]
  })
}

function listOf(text: string | undefined): readonly string[] | undefined {
  const words = (text ?? '').split(',').map((word) => word.trim())
  const given = words.filter((word) => word !== '')
  return given.length > 0 ? given : undefined
}

function secondsOf(text: string | undefined): number {
  if (text === undefined || text === '') return LIFE_SECONDS.usual
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds >= LIFE_SECONDS.least && seconds <= LIFE_SECONDS.most) return seconds
  throw new Fault('CONFIG_INVALID', {
    at: `POSTERN_REF_SECONDS must be from ${LIFE_SECONDS.least} to ${LIFE_SECONDS.most}, not "${text}".`,
  })
}
