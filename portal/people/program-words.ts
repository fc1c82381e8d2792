/** The order counts: most browsers also call themselves by the names of others. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
] as const

/** What a browser or program calls itself, in the two words by which people know it. */
export function programOf(agent: string): string {
  if (agent === '') return 'unknown'
  const browser = BROWSERS.find(([mark]) => agent.includes(mark))?.[1]
  if (browser === undefined) return agent.split(' ')[0] ?? agent
  const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1]
  return system === undefined ? browser : `${browser} on ${system}`
}
