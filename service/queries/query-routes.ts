import { QueryOutcome, QueryRequest, QueryView } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FORMATS } from '@postern/protocol/formats.ts'
import { Name, QueryId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { Doorkeeper } from '../http/needs.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { callerOf } from '../rights/actor.ts'
import { hidden } from '../rights/caller.ts'
import { formatOf } from './format.ts'
import { maySeeQuery, type QueryLog } from './query-log.ts'
import { type QueryRecord, queryView } from './query-record.ts'
import type { QueryPlace } from './query-repository.ts'
import type { QueryService } from './query-service.ts'

export interface QueryRouteParts {
  readonly service: QueryService
  readonly queries: QueryLog
  readonly doorkeeper: Pick<Doorkeeper, 'caller'>
}

const QueryList = PageQuery.extend({
  store: Name.optional().meta({ description: 'Only queries of this store' }),
  outcome: QueryOutcome.optional().meta({ description: 'Only queries that ended so' }),
  caller: z.string().max(63).optional().meta({ description: 'Only queries of the token of this name' }),
  node: Name.optional().meta({ description: 'Only queries that this node answered, or tried last' }),
  slowerThanMs: z.coerce.number().min(0).optional().meta({ description: 'Only queries that took longer' }),
  since: z.iso.datetime().optional().meta({ description: 'Only queries that started then or later' }),
})

export const queryRoutes =
  ({ service, queries, doorkeeper }: QueryRouteParts): Routes =>
  async (http) => {
    http.post(
      '/v1/stores/:store/query',
      {
        schema: {
          summary: 'Ask a store; rows stream as they come',
          description: `\`Accept\` says in which form: ${Object.values(FORMATS).join(', ')}. The headers postern-query-id, postern-node and postern-attempts say how it went. An answer that fails after its first byte is cut: it never ends as if it were whole.`,
          tags: ['queries'],
          params: z.object({ store: Name }),
          body: QueryRequest,
        },
        config: { needs: 'stores:query', on: 'store' },
      },
      async (request, reply) => {
        const format = formatOf(request.headers.accept)
        const { authorization } = request.headers
        const asked = {
          store: request.params.store,
          caller: callerOf(request),
          callerNow: () => doorkeeper.caller(authorization, request),
          format,
          request: request.body,
          address: request.ip,
        }
        let record: QueryRecord | undefined
        try {
          await service.run(asked, reply.raw, (made) => {
            record = made
          })
          // The answer has gone out on the raw response already.
          reply.hijack()
        } catch (cause) {
          if (record) void reply.headers({ 'postern-query-id': record.id, 'postern-attempts': String(record.attempts.length) })
          throw cause
        }
      },
    )

    http.get(
      '/v1/queries',
      {
        schema: {
          summary: 'Queries, newest first; those that run stand at the top',
          tags: ['queries'],
          querystring: QueryList,
          response: { 200: pageOf(QueryView) },
        },
        config: { needs: 'queries:read', on: 'inside' },
      },
      async (request) => {
        const { limit, cursor, since, ...filter } = request.query
        const started = since === undefined ? undefined : Date.parse(since)
        const rows = await queries.page({ ...filter, since: started }, placeOf(cursor), limit + 1, callerOf(request))
        return page(rows, limit, ({ startedAt, id, outcome }) => `${outcome === 'running' ? 'r' : ''}${startedAt}/${id}`, queryView)
      },
    )

    http.get(
      '/v1/queries/:query',
      {
        schema: {
          summary: 'One query: which nodes were considered, chosen and tried, and why',
          tags: ['queries'],
          params: z.object({ query: QueryId }),
          response: { 200: QueryView },
        },
        config: { needs: 'queries:read', on: 'inside' },
      },
      async (request) => {
        const { query } = request.params
        const record = await queries.find(query)
        const unknown = new Fault('QUERY_UNKNOWN', { at: query })
        if (!record) throw unknown
        if (!maySeeQuery(callerOf(request), record)) throw hidden(unknown)
        return queryView(record)
      },
    )
  }

function placeOf(cursor: string | undefined): QueryPlace | undefined {
  const text = readCursor(cursor)
  if (text === undefined) return undefined
  const [, running, startedAt, id = ''] = /^(r?)(\d{1,15}(?:\.\d{1,6})?)\/(.*)$/s.exec(text) ?? []
  if (startedAt === undefined) throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return { startedAt: Number(startedAt), id, running: running === 'r' }
}
