setTimeout("im"+"port('lo'+'dash')", 1);
