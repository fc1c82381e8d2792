/** Types of settings that several kinds have. They come from the command line as text too: "5432", "yes". */
import { z } from 'zod'

export const wholeNumber = (min: number, max: number) => z.preprocess(numberFromText, z.int().min(min).max(max))

function numberFromText(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value.trim()) ? Number(value) : value
}

export const flag = z.union([z.boolean(), z.enum(['yes', 'no', 'true', 'false']).transform((text) => text === 'yes' || text === 'true')])
