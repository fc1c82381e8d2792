import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@postern/protocol/fault.ts'
import { testFolder } from '@postern/testkit/folder.ts'
import { expect, test } from 'vitest'
import { Duck } from './duck.ts'
import { drain } from './pipe.ts'

/** Well below the time after which an engine with a statement that does not end is killed. */
const SOON_MS = 3_000
const WHOLE = `select range as id, repeat('x', 50) as name from range(20_000_000)`

test('a read that is given up, however early, ends its statement and leaves the engine to the others', async () => {
  await using folder = await testFolder()
  const [scratch, temp] = [join(folder.path, 'scratch'), join(folder.path, 'temp')]
  await mkdir(scratch)
  await using duck = new Duck({ folders: [folder.path], temp, memoryMb: 256 })
  await duck.run('select 1', { at: 'test' }, AbortSignal.timeout(20_000))

  for (const delayMs of [0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55]) {
    const given = new AbortController()
    let ended: Promise<unknown> = Promise.resolve()
    const { bytes } = await drain(
      { scratch },
      (path, signal) => {
        const answer = duck.run(`copy (${WHOLE}) to '${path}' (format csv, use_tmp_file false)`, { at: 'test' }, signal)
        ended = answer.catch(() => 'ended')
        return answer
      },
      given.signal,
    )
    await sleep(delayMs)
    given.abort(new Fault('CANCELLED'))

    expect(await Promise.race([ended, sleep(SOON_MS, 'still there')]), `given up after ${delayMs} ms`).toBe('ended')
    expect(bytes.destroyed).toBe(true)
  }
  expect((await duck.run('select 42', { at: 'test' }, AbortSignal.timeout(SOON_MS))).rows).toEqual([[42]])
})
