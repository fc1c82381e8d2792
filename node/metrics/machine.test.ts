import { describe, expect, test } from 'vitest'
import { readCgroup } from './cgroup.ts'
import { Machine } from './machine.ts'
import { parseMemInfo, parseNetDev, parseProcStat } from './proc.ts'

const from = (files: Record<string, string>) => (path: string) => files[path]

describe('a control group', () => {
  test('of version 2 gives the tightest limit of all heights', () => {
    const facts = readCgroup(
      from({
        '/proc/self/cgroup': '0::/pod/box\n',
        '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
        '/sys/fs/cgroup/pod/box/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/pod/cpu.max': '150000 100000\n',
        '/sys/fs/cgroup/pod/cpu.stat': 'usage_usec 5000000\nuser_usec 4000000\n',
        '/sys/fs/cgroup/pod/box/memory.max': '1073741824\n',
        '/sys/fs/cgroup/pod/box/memory.current': '536870912\n',
        '/sys/fs/cgroup/pod/box/memory.stat': 'anon 1\ninactive_file 268435456\n',
        '/sys/fs/cgroup/pod/memory.max': '2147483648\n',
      }),
    )

    expect(facts).toEqual({ cores: 1.5, cpuUsedMs: 5_000, memoryLimitBytes: 1_073_741_824, memoryUsedBytes: 268_435_456 })
  })

  test('of version 1 is read at the root when the path of the host is not there', () => {
    const facts = readCgroup(
      from({
        '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/cpuacct/cpuacct.usage': '7000000000\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      }),
    )

    expect(facts).toEqual({ cores: 2, cpuUsedMs: 7_000, memoryLimitBytes: undefined, memoryUsedBytes: undefined })
  })

  test('without limits leaves the machine as it is', () => {
    expect(readCgroup(from({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cgroup.controllers': 'cpu\n' }))).toEqual({
      cores: undefined,
      cpuUsedMs: undefined,
      memoryLimitBytes: undefined,
      memoryUsedBytes: undefined,
    })
  })
})

test('the texts of /proc are read', () => {
  expect(parseProcStat('cpu  10 1 5 80 4 0 1 0 3 0\ncpu0 1 1 1 1\n')).toEqual({ busy: 17, total: 101 })
  expect(parseProcStat('')).toBeUndefined()
  expect(parseMemInfo('MemTotal:       100 kB\nMemFree: 1 kB\nMemAvailable:    40 kB\n')).toEqual({ total: 102_400, available: 40_960 })
  expect(parseMemInfo('MemTotal: 5 kB')).toBeUndefined()
  const dev = 'Inter-|\n face |\n    lo: 900 1 0 0 0 0 0 0 900 1 0 0 0 0 0 0\n  eth0:  50 1 0 0 0 0 0 0  70 1 0 0 0 0 0 0\n'
  expect(parseNetDev(dev)).toEqual({ received: 50, sent: 70 })
})

test('rates are those since the measurement before', () => {
  let now = 0
  const files: Record<string, string> = { '/proc/stat': 'cpu  0 0 0 0', '/proc/net/dev': 'eth0: 0 0 0 0 0 0 0 0 0' }
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  const machine = new Machine({ clock, read: from(files) })

  now = 2_000
  files['/proc/stat'] = 'cpu  50 0 0 150'
  files['/proc/net/dev'] = 'eth0: 4000 0 0 0 0 0 0 0 1000'

  expect(machine.measure()).toMatchObject({ cpuPercent: 25, networkInBytesPerSecond: 2_000, networkOutBytesPerSecond: 500 })
})
