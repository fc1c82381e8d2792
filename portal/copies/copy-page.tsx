import { Anchor, Breadcrumbs, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { api } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { RUN_KEYS } from '../runs/run-keys.ts'
import { changed } from './copy-change.ts'
import { CopyFields } from './copy-fields.tsx'
import { type CopyForm, EMPTY, formOf } from './copy-form.ts'
import type { CopySearch } from './copy-search.ts'
import { type CopyParts, useCopyParts } from './use-copy-parts.ts'

const route = getRouteApi('/copies/new')

export function CopyPage() {
  const search = route.useSearch()
  const parts = useCopyParts()
  const { like = '' } = search
  const model = useQuery({ queryKey: RUN_KEYS.run(like), queryFn: ({ signal }) => api.runs.get(like, signal), enabled: like !== '' })
  const isReady = !parts.isLoading && (like === '' || !model.isPending)
  return (
    <Stack gap="md" maw={960}>
      <Breadcrumbs>
        <Anchor component={Link} to="/runs" size="sm">
          Runs
        </Anchor>
        <Text size="sm">New copy</Text>
      </Breadcrumbs>
      <Title order={1}>Copy</Title>
      {parts.cause != null && <FaultNote cause={parts.cause} />}
      {model.error && <FaultNote cause={model.error} />}
      {isReady ? (
        <CopyFields key={JSON.stringify(search)} parts={parts} begin={beginning(search, parts, model.data && formOf(model.data.copy))} />
      ) : (
        <Skeleton h={420} role="status" aria-label="Reading the stores" />
      )}
    </Stack>
  )
}

/** What the address says, over what a run has had. */
function beginning({ source, from, query, sink, to }: CopySearch, { kindsOf }: CopyParts, model: CopyForm | undefined): CopyForm {
  const begun = changed(model ?? EMPTY, { ...(source !== undefined && { source }), ...(sink !== undefined && { sink }) }, kindsOf)
  const part: Partial<CopyForm> = {
    ...(from !== undefined && { from, takes: 'names' }),
    ...(query !== undefined && { query, takes: 'query' }),
    ...(to !== undefined && { to }),
  }
  return changed(begun, part, kindsOf)
}
