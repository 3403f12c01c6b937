/** base64.encode and base64.decode. */
import { globalOverload, type Library } from '../check/declaration.ts';
import { bytesType, stringType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';

function decode(text: string): Uint8Array {
  // Padding may be left out.
  const bare = text.replace(/={0,2}$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) {
    const at = bare.search(/[^A-Za-z0-9+/]/);
    throw new CelRuntimeError(`illegal base64 data at input byte ${at < 0 ? bare.length : at}`);
  }
  return new Uint8Array(Buffer.from(bare, 'base64'));
}

export const encoderLibrary: Library = {
  'base64.encode': [
    globalOverload('base64_encode_bytes', [bytesType], stringType, (bytes: Uint8Array) =>
      Buffer.from(bytes).toString('base64'),
    ),
  ],
  'base64.decode': [globalOverload('base64_decode_string', [stringType], bytesType, decode)],
};
