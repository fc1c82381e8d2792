import { CopyRequest, RunStatus, RunSummary, RunView } from '@postern/protocol/api/runs.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name, RunId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { runSummary } from './run-record.ts'
import type { RunPlace } from './run-repository.ts'
import type { RunService } from './run-service.ts'

const RunList = PageQuery.extend({
  gateway: Name.optional().meta({ description: 'Only runs on this gateway' }),
  status: RunStatus.optional().meta({ description: 'Only runs in this status' }),
})
const params = z.object({ run: RunId })

export const runRoutes =
  ({ runs }: { readonly runs: RunService }): Routes =>
  async (http) => {
    http.post(
      '/v1/copies',
      {
        schema: { summary: 'Copy from one store to another', tags: ['runs'], body: CopyRequest, response: { 202: RunView } },
        config: { needs: 'runs:write' },
      },
      async ({ body, caller }, reply) => reply.code(202).send(await runs.create(body, caller?.name ?? '')),
    )

    http.get(
      '/v1/runs',
      {
        schema: { summary: 'Runs, newest first', tags: ['runs'], querystring: RunList, response: { 200: pageOf(RunSummary) } },
        config: { needs: 'runs:read' },
      },
      async ({ query: { limit, cursor, gateway, status } }) => {
        const rows = await runs.page({ gateway, status }, placeOf(cursor), limit + 1)
        return page(rows, limit, ({ createdAt, id }) => `${createdAt.getTime()}/${id}`, runSummary)
      },
    )

    http.get(
      '/v1/runs/:run',
      {
        schema: { summary: 'One run with its tasks and attempts', tags: ['runs'], params, response: { 200: RunView } },
        config: { needs: 'runs:read' },
      },
      async ({ params: { run } }) => await runs.get(run),
    )

    http.post(
      '/v1/runs/:run/cancel',
      {
        schema: { summary: 'Stop a run and take away what it wrote aside', tags: ['runs'], params, response: { 202: RunView } },
        config: { needs: 'runs:write' },
      },
      async ({ params: { run } }, reply) => reply.code(202).send(await runs.cancel(run)),
    )

    http.post(
      '/v1/runs/:run/rerun',
      {
        schema: { summary: 'Go on with what did not succeed', tags: ['runs'], params, response: { 202: RunView } },
        config: { needs: 'runs:write' },
      },
      async ({ params: { run } }, reply) => reply.code(202).send(await runs.rerun(run)),
    )
  }

function placeOf(cursor: string | undefined): RunPlace | undefined {
  const text = readCursor(cursor)
  if (text === undefined) return undefined
  const [createdAt = '', id = ''] = text.split('/')
  if (createdAt === '' || !Number.isFinite(Number(createdAt))) throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return { createdAt: Number(createdAt), id }
}
