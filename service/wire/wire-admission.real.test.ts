/** A connection that finds all nodes at a limit is told which one it is, as a query is. */
import { refusalOf } from '@postern/testkit/wire-client.ts'
import { expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

const text = (limit: string) =>
  `The gateway you selected can't establish data source connections because it's exceeded the ${limit} limit set by your gateway admin. Try again later, or ask your gateway admin to increase the limit.`

test.each([
  ['CPU', { cpuPercent: 80 }],
  ['memory', { memoryPercent: 60 }],
] as const)('at the %s limit the wire says so, with 53300', async (limit, settings) => {
  await using service = await LocalService.start({ postgres: { port: 0, required: true } })
  const [node] = await service.gateway(1, { ...settings, queueTimeoutMs: 100 })
  if (!node) throw new Error('a node was expected')
  node.averages = { cpuPercent: 90, memoryPercent: 70, overSeconds: 300 }
  await node.beat()
  const token = service.headers['authorization']?.replace('Bearer ', '') ?? ''

  const refusal = await refusalOf({ token, postgresPort: service.postgresPort })

  expect(refusal).toMatchObject({ code: '53300', message: text(limit) })
})
