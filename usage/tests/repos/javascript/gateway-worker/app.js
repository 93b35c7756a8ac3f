const {Worker}=require("worker_threads"); new Worker(src,{eval:true});
