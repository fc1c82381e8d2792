import { StoreLimits } from '@postern/protocol/api/query-limits.ts'
import { Fault } from '@postern/protocol/fault.ts'

/** One limit as a person wrote it. */
export function limitValue(name: string, text: string, shown: string): number {
  const shape = StoreLimits.shape
  if (!Object.hasOwn(shape, name)) {
    throw new Fault('SETTING_UNKNOWN', { at: `"${shown}" is none of the limits ${Object.keys(shape).join(', ')}.` })
  }
  const parsed = shape[name as keyof typeof shape].safeParse(/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN)
  if (parsed.data !== undefined) return parsed.data
  throw new Fault('INPUT_INVALID', { at: `${shown} must be a whole number${name === 'connections' ? '' : ' above 0'}, not "${text}".` })
}
