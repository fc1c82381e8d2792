import type { QueryView } from '@postern/protocol/api/queries.ts'
import type { Fault } from '@postern/protocol/fault.ts'
import { STAGE_HEADER } from '@postern/protocol/link.ts'
import type { FakeNode, Handler } from './fake-node.ts'
import { LocalService } from './local-service.ts'

/** Nodes whose links answer as a test says, and somebody who asks. */
export async function queryRig(nodes = 1, settings: Record<string, unknown> = {}) {
  const service = await LocalService.start()
  const [node, second] = (await service.gateway(nodes, settings)) as [FakeNode, FakeNode]
  const ask = (body: Record<string, unknown> = {}, headers = {}) =>
    service.fetch('POST', '/v1/stores/shop/query', { sql: 'select 1', ...body }, headers)
  const view = (response: Response) => service.api<QueryView>('GET', `/v1/queries/${response.headers.get('postern-query-id')}`)
  return { service, node, second, ask, view }
}

/** The answer of a node that fails. */
export const refuse =
  (fault: Fault, stage?: string): Handler =>
  (stream) => {
    stream.respond({ ':status': 500, ...(stage ? { [STAGE_HEADER]: stage } : {}) })
    stream.end(JSON.stringify(fault))
  }
