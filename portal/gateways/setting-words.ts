/** What the schemas do not say: which settings belong together, what each choice means, and what follows from a setting. */
import type { NodeSettings } from '@postern/protocol/api/gateways.ts'

type Name = keyof NodeSettings

export const GROUPS: readonly { readonly title: string; readonly names: readonly Name[] }[] = [
  { title: 'Choosing a node', names: ['policy', 'weight', 'labels'] },
  { title: 'Limits', names: ['queryConcurrency', 'jobConcurrency', 'cpuPercent', 'memoryPercent', 'aggregationMinutes', 'queueTimeoutMs'] },
  { title: 'Connections', names: ['sessionsPerStore', 'sessionsPerCaller', 'sessionIdleSeconds', 'sessionLifeSeconds'] },
  { title: 'Channel and proxy', names: ['channelEncryption', 'proxyUrl'] },
  { title: 'Nodes that are away', names: ['graceSeconds', 'nodeExpirySeconds'] },
  { title: 'Query log', names: ['queryLogDays', 'keepSqlText'] },
]

/** No value is a choice of two settings. */
export const CHOICES: Readonly<Record<string, string>> = {
  'primary-first': 'The primary while it can; then the next in the order of joining.',
  random: 'Draws one, by weight: the same share for each, whatever it does.',
  'round-robin': 'Each has its turn, heavier ones more often.',
  'least-loaded': 'Draws two, takes the less loaded: the fastest answers on machines that differ.',
  mutual: 'TLS 1.3 with certificates of the service, renewed by themselves. Nothing has to be done.',
  certificate: 'TLS 1.3 with a certificate of your own on each node.',
  off: 'In clear: only in a network that you trust. Credentials still travel sealed.',
}

export const HINTS: Readonly<Partial<Record<Name, string>>> = {
  weight: 'Counts under random, round-robin and least-loaded.',
  queryConcurrency: 'auto: 32 for each core.',
  jobConcurrency: 'auto: two for each core, fewer where memory is short. What exceeds it waits in the queue.',
  cpuPercent: 'A node whose average is above it takes no new work until it is below.',
  memoryPercent: 'A node whose average is above it takes no new work until it is below.',
  proxyUrl: 'Nodes take it up when they next dial.',
  nodeExpirySeconds: 'For machines that come and go.',
  keepSqlText: 'Statements may hold what nobody else should read.',
}
