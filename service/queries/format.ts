import type { QueryFormat } from '@postern/protocol/api/queries.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { FORMATS } from '@postern/protocol/formats.ts'

const BY_TYPE = new Map<string, QueryFormat>([
  ['*/*', 'json'],
  ['application/*', 'json'],
  ['text/*', 'csv'],
  ...Object.entries(FORMATS).map(([format, type]) => [type, format as QueryFormat] as const),
])

/** The format that an `Accept` header asks for: the first of the best weighted that we have. JSON when nothing is said. */
export function formatOf(accept: string | undefined): QueryFormat {
  if (accept === undefined || accept === '') return 'json'
  const whole = BY_TYPE.get(accept)
  if (whole) return whole
  let best: { readonly format: QueryFormat; readonly weight: number } | undefined
  for (const entry of accept.split(',')) {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
    const format = BY_TYPE.get(type)
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (format && weight > (best?.weight ?? 0)) best = { format, weight }
  }
  if (best) return best.format
  throw new Fault('INPUT_INVALID', { at: `Accept must be one of ${Object.values(FORMATS).join(', ')}.` })
}
