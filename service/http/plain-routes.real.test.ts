import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

let service: LocalService
beforeAll(async () => {
  service = await LocalService.start()
  await service.api('POST', '/v1/gateways', { name: 'quiet-house' })
})
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

const figures = async (headers: Record<string, string>) => {
  const response = await fetch(`${service.url}/metrics`, { headers })
  return { status: response.status, text: await response.text() }
}
const tokenOf = async (role: string) => (await service.api<{ token: string }>('POST', '/v1/tokens', { name: role, role })).token

test('on the machine itself anybody may read the figures', async () => {
  const { status, text } = await figures({})

  expect(status).toBe(200)
  expect(text).toContain('process_cpu_seconds_total')
})

test.each(['x-forwarded-for', 'forwarded'])('who comes through a proxy (%s) needs a token that may see nodes', async (header) => {
  const from = { [header]: header === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9' }
  const reader = await tokenOf('reader')
  const roles = [{ role: 'store-creator', on: 'gateway/quiet-house' }]
  const { token: narrow } = await service.api<{ token: string }>('POST', '/v1/tokens', { name: 'narrow', roles })

  expect((await figures(from)).status).toBe(401)
  expect((await figures({ ...from, authorization: 'Bearer ptn_wrong' })).status).toBe(401)
  expect((await figures({ ...from, authorization: `Bearer ${reader}` })).status).toBe(200)
  expect((await figures({ ...from, authorization: `Bearer ${narrow}` })).status).toBe(403)
})
