import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { systemRandom } from '@postern/base/random.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataFolder } from './data-folder.ts'

let path: string
const make = () => new DataFolder({ path, clock: systemClock, random: systemRandom })
const lock = () => join(path, 'service.lock')

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'postern-folder-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

test('it is locked while it is used, and free afterwards', async () => {
  const first = make()
  await first.start()
  await expect(make().start()).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' })
  await first.stop()

  const second = make()
  await second.start()
  await second.stop()

  expect(await readdir(path)).toEqual([])
})

test.each([
  ['of a process that is gone', { pid: 4_194_303, born: '', id: 'x' }],
  ['of an earlier process with our number', { pid: process.pid, born: 'boot/1', id: 'x' }],
  ['of an earlier process whose number another has now', { pid: 1, born: 'boot/1', id: 'x' }],
])('a lock %s is taken over', async (_what, holder) => {
  await writeFile(lock(), JSON.stringify(holder))
  const folder = make()

  await folder.start()

  expect(JSON.parse(await readFile(lock(), 'utf8'))).toMatchObject({ pid: process.pid })
  await folder.stop()
})

test('a lock that a crash cut short is taken over', async () => {
  await writeFile(lock(), '{"pid":')
  const folder = make()

  await folder.start()
  await folder.stop()
})

test('the lock of a process that lives is respected', async () => {
  await writeFile(lock(), JSON.stringify({ pid: process.ppid, born: '', id: 'x' }))

  await expect(make().start()).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE', details: { pid: process.ppid } })
})

test('of several that take over at the same moment one gets it', async () => {
  await writeFile(lock(), JSON.stringify({ pid: 4_194_303, born: '', id: 'x' }))

  const starts = await Promise.allSettled([make().start(), make().start(), make().start()])

  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('a file in its place is said', async () => {
  path = join(path, 'file')
  await writeFile(path, '')

  await expect(make().start()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(path) })
  path = join(path, '..')
})
