/** Which failures go to the next node, and which are the answer. */
import { Fault } from '@postern/protocol/fault.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import { expect, test, vi } from 'vitest'
import { answerRows } from '../testing/fake-node.ts'
import { queryRig, refuse } from '../testing/query-rig.ts'

test('a failure before the store saw the statement goes to the next node silently, whatever the mode', async () => {
  const { service, node, second, ask, view } = await queryRig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = refuse(new Fault('STORE_DENIED', { at: 'shop' }), 'before-store')
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[1]', 1)

  const response = await ask({ mode: 'write' })

  expect([await response.text(), response.headers.get('postern-node'), response.headers.get('postern-attempts')]).toEqual(['[1]', 'b', '2'])
  expect((await view(response)).candidates).toEqual([
    { node: 'a', taken: true, reason: 'the primary' },
    { node: 'b', taken: true, reason: expect.stringContaining('after a failed attempt') },
  ])
  expect((await view(response)).attempts).toMatchObject([
    { node: 'a', outcome: 'failed', fault: expect.stringContaining('STORE_DENIED') },
    { node: 'b' },
  ])
})

test('a node that dies after it took the statement: reads go on elsewhere, writes do not', async () => {
  const { service, node, second, ask } = await queryRig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = () => node.unlink()
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, '[2]', 1)

  expect(await (await ask()).text()).toBe('[2]')
  await node.link()
  const write = await ask({ mode: 'write' })

  expect(write.status).toBe(502)
  expect(await write.json()).toMatchObject({ code: 'NODE_OFFLINE' })
})

test("the store's own refusal is the answer, and nobody else is asked", async () => {
  const { service, node, second, ask, view } = await queryRig(2)
  await using _ = service
  node.handlers[NODE_PATHS.query] = refuse(new Fault('QUERY_FAILED', { at: 'column "x" does not exist' }), 'in-store')
  second.handlers[NODE_PATHS.query] = (stream) => answerRows(stream, 'wrong', 1)

  const response = await ask()

  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'QUERY_FAILED', detail: expect.stringContaining('column "x"') })
  expect(await view(response)).toMatchObject({ outcome: 'failed', attempts: [{ node: 'a' }] })
})

test('without a node that can, the answer says why for each', async () => {
  const { service, node, second, ask } = await queryRig(2)
  await using _ = service
  node.unlink()
  await service.api('POST', '/v1/gateways/demo/nodes/b/disable')

  const problem = await vi.waitUntil(async () => {
    const response = await ask()
    return response.ok ? undefined : ((await response.json()) as { code: string; detail: string })
  })

  expect(problem).toMatchObject({ code: 'NO_NODE_AVAILABLE', detail: expect.stringMatching(/a has no link, b is disabled/) })
  expect(second.name).toBe('b')
})
