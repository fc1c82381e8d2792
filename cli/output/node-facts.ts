/** What a node says of itself, for people. */
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import { when } from './format.ts'

export function nodeFactLines(facts: NodeFacts): readonly (readonly [string, string])[] {
  const { process } = facts
  return [
    ['node', `${facts.gateway}/${facts.name} (${facts.nodeId})`],
    ...(facts.notice === null ? [] : [['notice', facts.notice] as const]),
    ['role', facts.role],
    ['version', versionText(facts)],
    ['running since', `${when(facts.startedAt)}, process ${process.pid}, Node.js ${process.node}, ${process.platform}`],
    ...connectionLines(facts),
    ...credentialLines(facts),
    ...channelLines(facts),
    ['work', workText(facts)],
    ...(facts.settingsFault === null ? [] : [['settings', facts.settingsFault] as const]),
    ...facts.peers.map((peer) => [`peer ${peer.name}`, peerText(peer)] as const),
  ]
}

function versionText({ version, installedVersion, upgrading }: NodeFacts): string {
  const newer = installedVersion !== null && installedVersion !== version ? `; ${installedVersion} is installed: restart to run it` : ''
  return `${version}${newer}${upgrading ? '; is being updated (postern node upgrading --end when it is done)' : ''}`
}

function connectionLines({ service, link, proxy, cutOff }: NodeFacts): readonly (readonly [string, string])[] {
  const answered = service.fault === null ? `answered ${service.heardSecondsAgo} s ago` : `${service.fault} ${service.remedy ?? ''}`.trim()
  const up = link.count > 1 ? `${link.count} up` : link.state
  return [
    ['service', `${service.url}: ${answered}`],
    ['link', [up, link.transport, link.since && `since ${when(link.since)}`, link.reason].filter(Boolean).join(', ')],
    ['proxy', proxyText(proxy)],
    ...(cutOff ? [['cut off', 'beyond the grace period: it has ended its sessions'] as const] : []),
  ]
}

export function proxyText({ setting, environment, used }: NodeFacts['proxy']): string {
  const set = [setting && `setting ${setting}`, environment && `environment ${environment}`].filter(Boolean).join(', ')
  const by = used === null ? 'the service was not reached yet' : used === '' ? 'none in use' : `in use: ${used}`
  return set === '' ? by : `${by} (${set})`
}

function credentialLines(facts: NodeFacts): readonly (readonly [string, string])[] {
  const { gatewayKeyFingerprint: key, gatewayKeyFault, recoveryKey, storesVersion, storesBehind, staleCredentials } = facts
  const behind = storesBehind && `behind by ${storesBehind.changes}: ${storesBehind.reason}`
  const stale = staleCredentials > 0 && `${staleCredentials} cannot be used`
  const stores = [behind || `in sync (state ${storesVersion ?? 'none'})`, stale].filter(Boolean).join('; ')
  return [
    ['gateway key', key ? `here, ${key}` : `not here yet${gatewayKeyFault ? `: ${gatewayKeyFault}` : ''}`],
    ['recovery key', recoveryKey === null ? 'not known' : recoveryKey ? 'there is one' : 'none: postern node recovery-key'],
    ['credentials', stores],
    ...(facts.vaultFault === null ? [] : [['Vault', facts.vaultFault] as const]),
  ]
}

function channelLines({ channel }: NodeFacts): readonly (readonly [string, string])[] {
  const { certificate } = channel
  const whose = certificate?.from === 'own' ? 'your own' : 'renewed by itself'
  return [
    ['channel', `${channel.encryption}, at ${channel.address ?? '-'}${channel.fault ? `: ${channel.fault}` : ''}`],
    [
      'certificate',
      certificate ? `until ${when(certificate.validUntil)} (${whose})${certificate.notice ? `: ${certificate.notice}` : ''}` : 'none',
    ],
  ]
}

const workText = ({ runningJobs, jobLimit, runningQueries, draining }: NodeFacts) =>
  `${runningJobs} of ${jobLimit} jobs, ${runningQueries} queries${draining ? ', draining' : ''}`

const peerText = ({ online, channel, fault }: NodeFacts['peers'][number]) =>
  `${online ? 'online' : 'offline'}, ${channel ?? 'no channel'}${fault ? `: ${fault}` : ''}`
