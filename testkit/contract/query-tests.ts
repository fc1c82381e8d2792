import type { Statement } from '@postern/connectors/query-contract.ts'
import { expect, test } from 'vitest'
import { faultOf } from '../fault-of.ts'
import { waitFor } from '../wait-for.ts'
import { drained, limit, required, type SuiteParts } from './suite.ts'

export function queryTests({ rig, session }: SuiteParts): void {
  const queries = () => required(rig().queries)
  const ask = (sql: string, more: Partial<Statement> = {}, signal = limit()) =>
    required(session().query?.({ sql, params: [], mode: 'read', format: 'ndjson', ...more }, signal))

  test.each(['json', 'ndjson', 'csv', 'arrow'] as const)('a query answers as %s', async (format) => {
    const answer = await ask(queries().one, { format })
    const bytes = await drained(answer.bytes)

    expect(answer.rows()).toBe(1)
    if (format === 'json') expect(JSON.parse(bytes.toString())).toEqual([{ n: 1 }])
    else if (format === 'ndjson') expect(bytes.toString()).toBe('{"n":1}\n')
    else if (format === 'csv') expect(bytes.toString()).toBe('n\n1\n')
    else expect(bytes.length).toBeGreaterThan(64)
  })

  test('a result ends after maxRows', async () => {
    const answer = await ask(queries().many(100), { maxRows: 7 })
    await drained(answer.bytes)

    expect(answer.rows()).toBe(7)
  })

  test('a read query cannot change data', async () => {
    expect((await faultOf(ask(queries().change))).code).toBe('QUERY_READ_ONLY')
  })

  test("a broken statement is refused with the store's own words", async () => {
    const fault = await faultOf(ask(queries().broken))

    expect(fault.code).toBe('QUERY_FAILED')
    expect(fault.message.length).toBeGreaterThan('The store refused the statement.'.length)
  })

  test('an aborted query ends in the store', async () => {
    const marker = `marker_${Math.random().toString(36).slice(2)}`
    const abort = new AbortController()
    const answer = faultOf(ask(queries().slow(marker), {}, abort.signal))
    await waitFor(
      'the statement runs',
      () => queries().running(marker),
      (running) => running === 1,
    )

    abort.abort()

    expect((await answer).code).toBe('CANCELLED')
    await waitFor(
      'the statement has ended',
      () => queries().running(marker),
      (running) => running === 0,
    )
  })

  test('a reader that leaves ends the query in the store', async () => {
    const marker = `marker_${Math.random().toString(36).slice(2)}`
    const answer = await ask(`${queries().many(5_000_000)} /* ${marker} */`)
    await waitFor(
      'the statement runs',
      () => queries().running(marker),
      (running) => running === 1,
    )

    answer.bytes.destroy()

    await waitFor(
      'the statement has ended',
      () => queries().running(marker),
      (running) => running === 0,
    )
  })

  test('a slow reader holds the store back: memory stays flat', async () => {
    const answer = await ask(queries().many(1_000_000))
    const before = process.memoryUsage().rss
    await new Promise((resolve) => answer.bytes.once('readable', resolve))
    let rows = -1
    await waitFor('no more rows come', async () => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const now = answer.rows()
      const still = now === rows
      rows = now
      return still
    })

    expect(rows).toBeLessThan(100_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
    answer.bytes.destroy()
  })
}
