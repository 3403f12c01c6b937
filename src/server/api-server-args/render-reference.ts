import { renderArgsPage } from '../component-args/render-page.ts';
import { apiServerArgTable } from './arg-values.ts';

/** The page docs/reference/kube-apiserver-args.md. */
export function renderArgsReference(): string {
  return renderArgsPage('kube-apiserver', 'src/server/api-server-args', apiServerArgTable);
}
