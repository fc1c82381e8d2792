import { Button, CopyButton } from '@mantine/core'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { useNavigate, useRouter } from '@tanstack/react-router'
import { holdsFiles } from '../copies/copy-form.ts'
import { ReasonedButton } from '../parts/reasoned-button.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { copyHindrance, type Draft } from './draft.ts'

/** The statement stands in an address only where somebody wants it there: addresses are kept in many places. */
export function CopyLink({ draft: { store, sql } }: { readonly draft: Draft }) {
  const { href } = useRouter().buildLocation({ to: '/queries', search: { store, sql } })
  return (
    <CopyButton value={location.origin + href}>
      {({ copied, copy }) => (
        <Button variant="subtle" onClick={copy} disabled={sql.trim() === ''}>
          {copied ? 'Link copied' : 'Copy a link'}
        </Button>
      )}
    </CopyButton>
  )
}

interface CopyResultProps {
  readonly draft: Draft
  readonly kind: StoreKindView | undefined
}

/** To the form of a copy whose source is the statement: what was found by looking is then moved whole. */
export function CopyResult({ draft, kind }: CopyResultProps) {
  const navigate = useNavigate()
  const { mayAnywhere } = useRights()
  // Of files, copies take the files themselves.
  if (!mayAnywhere('runs:write') || !kind?.can.source || holdsFiles(kind)) return null
  const { store, sql } = draft
  return (
    <ReasonedButton
      variant="subtle"
      because={copyHindrance(draft)}
      onClick={() => void navigate({ to: '/copies/new', search: { ...(store !== undefined && { source: store }), query: sql.trim() } })}
    >
      Copy the result…
    </ReasonedButton>
  )
}
