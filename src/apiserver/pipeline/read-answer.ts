import { sendList } from '../answers/list-answer.ts';
import { sendEntry, sendValue } from '../answers/object-answer.ts';
import { includeObjectOf, shapedScale } from '../answers/table.ts';
import { sendWatch, watchShapes } from '../answers/watch-answer.ts';
import { getObject } from '../handlers/get.ts';
import { readListOptions, selectionOf } from '../handlers/list-options.ts';
import { listObjects } from '../handlers/list.ts';
import { getScale } from '../handlers/scale.ts';
import { watchObjects } from '../handlers/watch.ts';
import type { Exchange } from '../http/exchange.ts';
import {
  componentStatus,
  isComponentStatus,
  listComponentStatuses,
} from '../kinds/component-statuses.ts';
import { negotiateForm, negotiateStream } from '../negotiate.ts';
import type { ResourceRequestContext } from '../request.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { ResourceDispatch } from './dispatch.ts';

const objectShapes = ['Table', 'PartialObjectMetadata'];
const listShapes = ['Table', 'PartialObjectMetadataList'];

/** Answers get, list and watch. */
export async function answerRead(
  { core, frames, pieces, watchMetrics }: ResourceDispatch,
  exchange: Exchange,
  served: ServedResource,
  context: ResourceRequestContext,
): Promise<number> {
  const { info, query } = context;
  const { accept } = exchange.headers;
  const nowMs = core.clock.now();
  const namespace = served.info.namespaced ? info.namespace : '';
  if (info.verb === 'get') {
    const form = negotiateForm(accept, objectShapes);
    if (info.subresource === 'scale') {
      const scale = await getScale(core, served, namespace, info.name);
      const include = includeObjectOf(query, form.as);
      const value = shapedScale(served.info, scale, form.as, { include, nowMs });
      await sendValue(exchange, context, value, { status: 200, form });
      return 200;
    }
    const version = query.get('resourceVersion') ?? '';
    const entry = isComponentStatus(served)
      ? componentStatus(served, info.name)
      : await getObject(core, served, namespace, info.name, version);
    await sendEntry(exchange, context, served, entry, { status: 200, form, nowMs });
    return 200;
  }
  const options = readListOptions(query);
  if (info.verb === 'list') {
    const form = negotiateForm(accept, listShapes);
    const page = isComponentStatus(served)
      ? listComponentStatuses(served, (entry) =>
          selectionOf(served, options, '', '').matches(entry),
        )
      : await listObjects(core, served, namespace, '', options);
    await sendList(exchange, context, served, page, { form, nowMs, pieces });
    return 200;
  }
  const form = negotiateStream(accept, watchShapes);
  const session = await watchObjects(core, served, namespace, info.name, options);
  const count = watchMetrics?.(served.info);
  await sendWatch(exchange, context, session, { form, frames, count, now: () => core.clock.now() });
  return 200;
}
