import { Fault } from '@postern/protocol/fault.ts'
import { z } from 'zod'

const Problem = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  remedy: z.string().optional(),
})

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** The answer of a service as a value, or the Fault it sent, or the fault that it is no service at all. */
export function parseAnswer<Schema extends z.ZodType>(url: URL, answer: Answer, schema: Schema | undefined): z.output<Schema> {
  if (answer.status >= 400) throw parseProblem(url, answer)
  if (answer.status < 200 || answer.status >= 300) throw foreign(url, answer)
  if (!schema) return undefined as z.output<Schema>
  const parsed = schema.safeParse(jsonOf(answer.text))
  if (!parsed.success) throw foreign(url, answer)
  return parsed.data
}

export function parseProblem(url: URL, answer: Answer): Fault {
  const problem = answer.type.includes('json') ? Problem.safeParse(jsonOf(answer.text)) : undefined
  if (problem?.success) {
    const { code, title, detail, remedy } = problem.data
    return Fault.fromJson({ code, message: detail || title || code, remedy })
  }
  // A load balancer whose service is away answers so, in HTML.
  if (answer.status === 502 || answer.status === 503 || answer.status === 504) {
    return new Fault('SERVICE_UNREACHABLE', { at: `(${url.origin} answered ${answer.status})` })
  }
  return foreign(url, answer)
}

function foreign(url: URL, answer: Answer): Fault {
  return new Fault('NOT_A_SERVICE', { at: `(${url.origin} answered ${answer.status} ${answer.type || 'without content type'})` })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
