/** Texts of Linux's /proc as numbers. Pure; every function is given the file's text. */

export interface CpuTimes {
  /** Since some start; only differences mean anything. */
  readonly busy: number
  readonly total: number
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice. */
export function parseProcStat(text: string): CpuTimes | undefined {
  const line = /^cpu +(.+)$/m.exec(text)?.[1]
  if (line === undefined) return undefined
  // guest times are counted in user and nice already
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line.trim().split(/ +/).map(Number)
  const busy = user + nice + system + irq + softirq + steal
  return { busy, total: busy + idle + iowait }
}

export function parseMemInfo(text: string): { readonly total: number; readonly available: number } | undefined {
  const kilobytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1])
  const total = kilobytes('MemTotal') * 1024
  const available = kilobytes('MemAvailable') * 1024
  return Number.isFinite(total) && Number.isFinite(available) ? { total, available } : undefined
}

export interface NetworkBytes {
  readonly received: number
  readonly sent: number
}

/** /proc/net/dev: bytes of all interfaces but the loopback. */
export function parseNetDev(text: string): NetworkBytes {
  let received = 0
  let sent = 0
  for (const line of text.split('\n')) {
    const [, name, numbers] = /^\s*([^\s:]+):(.*)$/.exec(line) ?? []
    if (name === undefined || name === 'lo' || numbers === undefined) continue
    const fields = numbers.trim().split(/\s+/).map(Number)
    received += fields[0] ?? 0
    sent += fields[8] ?? 0
  }
  return { received, sent }
}
