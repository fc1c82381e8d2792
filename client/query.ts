import type { QueryFormat, QueryRequest } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FORMATS } from '@postern/protocol/formats.ts'
import { type Http, reasonOf } from './http.ts'

export interface QueryOptions extends QueryRequest {
  readonly format?: QueryFormat
  readonly signal?: AbortSignal | undefined
}

export interface QueryResult {
  /** For `queries.get`: which nodes were thought of, chosen and tried. */
  readonly id: string
  readonly node: string
  readonly attempts: number
  readonly format: QueryFormat
  /**
   * The rows as bytes of the format. Reading slowly holds back the database; leaving the loop cancels the statement.
   * A result that breaks off throws: it is never ended as if whole.
   */
  readonly bytes: AsyncIterable<Uint8Array>
  /** All rows at once, for results that are known to be small; needs format json or ndjson. */
  rows<Row = Record<string, unknown>>(): Promise<Row[]>
}

export async function runQuery(http: Http, store: string, options: QueryOptions): Promise<QueryResult> {
  const { format = 'json', signal, ...body } = options
  const path = `/v1/stores/${encodeURIComponent(store)}/query`
  const response = await http.send('POST', path, { body, accept: FORMATS[format], signal })
  const id = response.headers.get('postern-query-id')
  if (id === null) {
    await response.body?.cancel().catch(() => undefined)
    throw new Fault('NOT_A_SERVICE', { at: 'The answer to a query has no postern-query-id.' })
  }
  const bytes = read(response.body, id, signal)
  return {
    id,
    node: response.headers.get('postern-node') ?? '',
    attempts: Number(response.headers.get('postern-attempts') ?? 1),
    format,
    bytes,
    rows: async <Row>() => {
      const text = await textOf(bytes)
      if (format === 'json') return JSON.parse(text) as Row[]
      if (format === 'ndjson') return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]))
      throw new Fault('INPUT_INVALID', { at: `rows() reads json or ndjson, not ${format}.` })
    },
  }
}

async function* read(
  body: ReadableStream<Uint8Array> | null,
  id: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (body) yield* body
  } catch (cause) {
    signal?.throwIfAborted()
    throw new Fault('STORE_LOST', {
      at: `The result of query ${id} broke off: ${reasonOf(cause)}`,
      remedy: 'See GET /v1/queries/ID for the reason; ask again where the statement may run twice.',
      details: { query: id },
      cause,
    })
  }
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of bytes) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}
