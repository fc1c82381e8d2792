/** How a node is, and why, from what it says of itself. Pure. */
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import { duration } from '../parts/figures.ts'

export interface NodeHealth {
  readonly status: 'online' | 'limited' | 'offline' | 'draining' | 'upgrading'
  readonly reasons: readonly string[]
}

export function nodeHealth(facts: NodeFacts): NodeHealth {
  const reasons = reasonsOf(facts)
  if (facts.service.fault !== null && facts.link.state !== 'up') return { status: 'offline', reasons }
  if (facts.upgrading) return { status: 'upgrading', reasons }
  if (facts.draining) return { status: 'draining', reasons }
  return { status: reasons.length > 0 ? 'limited' : 'online', reasons }
}

function reasonsOf({ service, link, cutOff, channel, peers, ...facts }: NodeFacts): readonly string[] {
  const { gatewayKeyFingerprint, gatewayKeyFault, storesBehind, staleCredentials, vaultFault, settingsFault } = facts
  const key = gatewayKeyFingerprint === null ? `It waits for the gateway's key${gatewayKeyFault ? `: ${gatewayKeyFault}` : ''}` : undefined
  const reasons: readonly (string | null | undefined | false)[] = [
    service.fault,
    link.state === 'down' && `The link is down: ${link.reason ?? 'no reason known'}`,
    cutOff && 'It is cut off for longer than the grace period and has ended its sessions',
    key,
    storesBehind && `Its credentials are behind by ${storesBehind.changes}: ${storesBehind.reason}`,
    staleCredentials > 0 && `Of ${staleCredentials} ${staleCredentials === 1 ? 'store' : 'stores'} it cannot use the credential of today`,
    vaultFault && `HashiCorp Vault: ${vaultFault}`,
    settingsFault,
    channel.fault,
    channel.certificate?.notice,
    ...peers.map(({ name, fault }) => fault && `It does not reach ${name}: ${fault}`),
  ]
  return reasons.filter((reason) => typeof reason === 'string')
}

/** Whether something newer waits for a restart. */
export function updateText({
  version,
  installedVersion,
  upgrading,
}: Pick<NodeFacts, 'version' | 'installedVersion' | 'upgrading'>): string {
  if (upgrading) return 'It is being updated'
  if (installedVersion === null) return 'What is installed cannot be read'
  return installedVersion === version ? 'None waits' : `${installedVersion} is installed: restart to run it`
}

/** What runs, and whether something newer waits for a restart. */
export function versionText({
  version,
  installedVersion,
  upgrading,
}: Pick<NodeFacts, 'version' | 'installedVersion' | 'upgrading'>): string {
  if (upgrading) return `${version}, is being updated`
  if (installedVersion === null || installedVersion === version) return `${version}, the one that is installed`
  return `${version}; ${installedVersion} is installed: restart to run it`
}

export function proxyText({ setting, environment, used }: NodeFacts['proxy']): string {
  const set = [setting && `setting: ${setting}`, environment && `environment: ${environment}`].filter(Boolean).join(', ')
  const by = used === null ? 'The service was not reached yet' : used === '' ? 'None in use' : `In use: ${used}`
  return set === '' ? by : `${by} (${set})`
}

/** A beat is answered each second: what changes with every look says nothing. */
export function answeredText({ heardSecondsAgo }: Pick<NodeFacts['service'], 'heardSecondsAgo'>): string {
  return heardSecondsAgo < 5 ? 'just now' : `${duration(Math.round(heardSecondsAgo) * 1_000)} ago`
}

/** "in 23 hours", "ended 2 days ago": to the hour, to the day where there are more than three. */
export function untilText(iso: string, now: number): string {
  const ms = Date.parse(iso) - now
  const hours = Math.floor(Math.abs(ms) / HOUR_MS)
  const long = hours > 72 ? plural(Math.floor(hours / 24), 'day') : hours > 0 ? plural(hours, 'hour') : 'less than an hour'
  return ms > 0 ? `in ${long}` : `ended ${long} ago`
}

const HOUR_MS = 3_600_000
const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`
