/** A Markdown table; "|" in cells is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('')
}

/** `schema` in words: "whole number, 0 to 100". From JSON Schema, as zod writes it. */
export function inWords(schema: JsonSchema): string {
  if (schema.const === '') return 'empty'
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return variants.map(inWords).join(' or ')
  if (schema.type === 'integer' || schema.type === 'number')
    return `${schema.type === 'integer' ? 'whole number' : 'number'}${range(schema)}`
  if (schema.type === 'string') return schema.format === 'uri' ? 'URL' : schema.maxLength === 0 ? 'empty' : 'text'
  if (schema.type === 'boolean') return '`true` or `false`'
  return schema.type ?? 'anything'
}

export interface JsonSchema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly format?: string
  readonly default?: unknown
  readonly title?: string
  readonly description?: string
  readonly secret?: boolean
  readonly audience?: boolean
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

function range({ minimum, maximum }: JsonSchema): string {
  const hasMinimum = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER
  const hasMaximum = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  if (hasMinimum && hasMaximum) return `, ${minimum} to ${maximum}`
  if (hasMinimum) return `, at least ${minimum}`
  return hasMaximum ? `, at most ${maximum}` : ''
}
