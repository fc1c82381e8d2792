/** What no page of ours asks for: told as such, never as an error of the service. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalService } from '../testing/local-service.ts'

let service: LocalService

beforeAll(async () => {
  service = await LocalService.start()
  await service.api('POST', '/v1/gateways', { name: 'demo' })
})

afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
})

const cursor = (text: string) => encodeURIComponent(Buffer.from(`c:${text}`).toString('base64url'))

test.each([
  ['queries', '1e300/qry_x'],
  ['queries', 'NaN/qry_x'],
  ['queries', '-5/qry_x'],
  ['queries', '12\0/qry_x'],
  ['runs', '99999999999999999/run_x'],
  ['audit', '0000-01-01T00:00:00Z/a1'],
  ['audit', '2026-02-30T25:61:00Z/a1'],
  ['gateways/demo/nodes', 'abc'],
  ['gateways/demo/nodes', '-1'],
  ['stores', 'a\0b'],
])('a cursor of /v1/%s that was made by hand (%j) is not valid', async (list, text) => {
  const response = await service.fetch('GET', `/v1/${list}?cursor=${cursor(text)}`)

  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'INPUT_INVALID' })])
})

test.each(['queries?since=0000-01-01T00:00:00Z', 'audit?since=0000-01-01T00:00:00Z', 'queries?slowerThanMs=1e308'])(
  'GET /v1/%s is answered, or is told what is wrong',
  async (list) => {
    expect((await service.fetch('GET', `/v1/${list}`)).status).toBeLessThan(500)
  },
)
