import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import type { Clock } from '@postern/base/clock.ts'
import { type CgroupFacts, type ReadText, readCgroup } from './cgroup.ts'
import { type CpuTimes, type NetworkBytes, parseMemInfo, parseNetDev, parseProcStat } from './proc.ts'

export interface MachineFacts {
  /** Of what this process may use: its quota where there is one, else the machine. 0 to 100. */
  readonly cpuPercent: number
  readonly cores: number
  readonly totalMemoryBytes: number
  readonly availableMemoryBytes: number
  /** 0 where the system does not say (`networkReason`). */
  readonly networkInBytesPerSecond: number
  readonly networkOutBytesPerSecond: number
  readonly networkReason: string | null
}

interface Sample {
  readonly at: number
  readonly cpu: CpuTimes
  readonly cgroupCpuMs: number | undefined
  readonly network: NetworkBytes | undefined
}

interface MachineParts {
  readonly clock: Clock
  readonly read?: ReadText
}

/** Files of /proc and /sys are answered from memory: reading them takes no time that would be worth a thread. */
const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** What the machine has and how busy it is; rates are those since the call before. */
export class Machine {
  readonly #clock: Clock
  readonly #read: ReadText
  #before: Sample

  constructor(parts: MachineParts) {
    this.#clock = parts.clock
    this.#read = parts.read ?? readText
    this.#before = this.#sample(readCgroup(this.#read))
  }

  measure(): MachineFacts {
    const cgroup = readCgroup(this.#read)
    const now = this.#sample(cgroup)
    const before = this.#before
    this.#before = now
    const elapsedMs = Math.max(1, now.at - before.at)
    const cores = Math.min(availableParallelism(), cgroup.cores ?? Number.POSITIVE_INFINITY)
    const memory = memoryOf(parseMemInfo(this.#read('/proc/meminfo') ?? ''), cgroup)
    const rate = (field: keyof NetworkBytes) =>
      now.network && before.network ? Math.max(0, ((now.network[field] - before.network[field]) * 1_000) / elapsedMs) : 0
    return {
      cpuPercent: cpuPercentOf(before, now, cores, elapsedMs),
      cores,
      ...memory,
      networkInBytesPerSecond: rate('received'),
      networkOutBytesPerSecond: rate('sent'),
      networkReason: now.network ? null : `${process.platform} does not tell a program its network counters`,
    }
  }

  #sample(cgroup: CgroupFacts): Sample {
    const network = this.#read('/proc/net/dev')
    return {
      at: this.#clock.monotonic(),
      cpu: parseProcStat(this.#read('/proc/stat') ?? '') ?? cpuTimesOfOs(),
      cgroupCpuMs: cgroup.cpuUsedMs,
      network: network === undefined ? undefined : parseNetDev(network),
    }
  }
}

/** Where there is no /proc (macOS, Windows). */
function cpuTimesOfOs(): CpuTimes {
  let busy = 0
  let idle = 0
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq
    idle += times.idle
  }
  return { busy, total: busy + idle }
}

function cpuPercentOf(before: Sample, now: Sample, cores: number, elapsedMs: number): number {
  if (now.cgroupCpuMs !== undefined && before.cgroupCpuMs !== undefined) {
    return clampPercent(((now.cgroupCpuMs - before.cgroupCpuMs) / (elapsedMs * cores)) * 100)
  }
  const total = now.cpu.total - before.cpu.total
  return total <= 0 ? 0 : clampPercent(((now.cpu.busy - before.cpu.busy) / total) * 100)
}

const clampPercent = (value: number): number => Math.round(Math.min(100, Math.max(0, value)) * 10) / 10

function memoryOf(machine: { readonly total: number; readonly available: number } | undefined, cgroup: CgroupFacts) {
  const total = machine?.total ?? totalmem()
  const available = machine?.available ?? freemem()
  const limit = cgroup.memoryLimitBytes
  if (limit === undefined || limit >= total) return { totalMemoryBytes: total, availableMemoryBytes: available }
  const left = Math.max(0, limit - (cgroup.memoryUsedBytes ?? 0))
  return { totalMemoryBytes: limit, availableMemoryBytes: Math.min(available, left) }
}
