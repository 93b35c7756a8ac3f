new Function("return import('lod'+'ash')")();
