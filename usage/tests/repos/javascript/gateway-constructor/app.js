(()=>{}).constructor("return pro"+"cess.mainModule.req"+"uire('lod'+'ash')")();
