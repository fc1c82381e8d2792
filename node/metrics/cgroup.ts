/** What the container allows: cgroup v2 and v1. `read` gives a file's text, or undefined. */
export type ReadText = (path: string) => string | undefined

export interface CgroupFacts {
  /** CPU quota in cores; undefined = as many as the machine has. */
  readonly cores: number | undefined
  readonly memoryLimitBytes: number | undefined
  /** Used, without the file cache that the kernel gives back at once. */
  readonly memoryUsedBytes: number | undefined
  /** CPU time used so far, by all of the group; only with a quota. */
  readonly cpuUsedMs: number | undefined
}

const ROOT = '/sys/fs/cgroup'

export function readCgroup(read: ReadText): CgroupFacts {
  const groups = read('/proc/self/cgroup') ?? ''
  return read(`${ROOT}/cgroup.controllers`) === undefined ? readV1(read, groups) : readV2(read, groups)
}

/** A limit may stand at any height: the tightest of the own group and all above it holds. */
function readV2(read: ReadText, groups: string): CgroupFacts {
  let cores: number | undefined
  let cpuUsedMs: number | undefined
  let memoryLimitBytes: number | undefined
  let memoryUsedBytes: number | undefined
  for (const folder of upwards(/^0::(.*)$/m.exec(groups)?.[1] ?? '/')) {
    const [quota, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(' ')
    const own = Number(quota) / Number(period)
    if (own > 0 && own < (cores ?? Infinity)) {
      cores = own
      cpuUsedMs = fieldOf(read(`${folder}/cpu.stat`), 'usage_usec', 1_000)
    }
    const limit = positive(read(`${folder}/memory.max`))
    if (limit !== undefined && limit < (memoryLimitBytes ?? Infinity)) {
      memoryLimitBytes = limit
      memoryUsedBytes = usedOf(read(`${folder}/memory.current`), read(`${folder}/memory.stat`), 'inactive_file')
    }
  }
  return { cores, cpuUsedMs, memoryLimitBytes, memoryUsedBytes }
}

function readV1(read: ReadText, groups: string): CgroupFacts {
  const folderOf = (controller: string): string => {
    const path = groups
      .split('\n')
      .map((line) => line.split(':'))
      .find(([, controllers]) => controllers?.split(',').includes(controller))?.[2]
    const own = `${ROOT}/${controller}${path === undefined || path === '/' ? '' : path}`
    // Inside a container the path of the host is named, but the group is mounted at the root.
    return read(`${own}/cgroup.procs`) === undefined ? `${ROOT}/${controller}` : own
  }
  const cpu = folderOf('cpu')
  const quota = positive(read(`${cpu}/cpu.cfs_quota_us`))
  const period = positive(read(`${cpu}/cpu.cfs_period_us`))
  const used = positive(read(`${folderOf('cpuacct')}/cpuacct.usage`))
  const memory = folderOf('memory')
  const limit = positive(read(`${memory}/memory.limit_in_bytes`))
  const limited = limit !== undefined && limit < 2 ** 60 // "no limit" is a number near 2⁶³
  const cores = quota !== undefined && period !== undefined ? quota / period : undefined
  return {
    cores,
    cpuUsedMs: cores === undefined || used === undefined ? undefined : used / 1e6,
    memoryLimitBytes: limited ? limit : undefined,
    memoryUsedBytes: limited
      ? usedOf(read(`${memory}/memory.usage_in_bytes`), read(`${memory}/memory.stat`), 'total_inactive_file')
      : undefined,
  }
}

function* upwards(path: string): Generator<string> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  for (let depth = parts.length; depth >= 0; depth -= 1) yield [ROOT, ...parts.slice(0, depth)].join('/')
}

function positive(text: string | undefined): number | undefined {
  const value = Number.parseInt(text ?? '', 10)
  return value > 0 ? value : undefined
}

function fieldOf(text: string | undefined, name: string, divisor: number): number | undefined {
  const value = Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1])
  return Number.isFinite(value) ? value / divisor : undefined
}

function usedOf(current: string | undefined, stat: string | undefined, cache: string): number | undefined {
  const used = positive(current)
  return used === undefined ? undefined : Math.max(0, used - (fieldOf(stat, cache, 1) ?? 0))
}
