# Body points that Herdbook's own network finds, for an experiment with the section `pose`: one network, and one job per movie.


rule pose_trainset:
    input:
        labels=given(PLAN.pose_labels),
        movie=[FILES[movie] for movie in PLAN.pose_labelled],
        index=files("index", PLAN.pose_labelled),
        blobs=files("segment", PLAN.pose_labelled),
        trajectories=files("smooth", PLAN.pose_labelled),
    output:
        out=at("pose_trainset/pose_trainset.h5"),
    log:
        at("logs/pose_trainset/pose_trainset.log"),
    benchmark:
        at("benchmarks/pose_trainset/pose_trainset.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        settings=settings("pose_trainset"),
        version=version("pose_trainset"),
    shell:
        "python -m herdbook.stages.pose_trainset --labels {input.labels:q} --movie {input.movie:q} --index {input.index:q}"
        " --blobs {input.blobs:q} --trajectories {input.trajectories:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule pose_train:
    input:
        examples=([] if PLAN.pose_model else at("pose_trainset/pose_trainset.h5")),
        model=given(PLAN.pose_model),
    output:
        out=at("pose_train/pose.keras"),
        card=at("pose_train/pose.json"),
        record=at("provenance/pose_train.json"),
    log:
        at("logs/pose_train/pose_train.log"),
    benchmark:
        at("benchmarks/pose_train/pose_train.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("pose_train"),
        version=version("pose_train"),
    shell:
        "python -m herdbook.stages.pose_train --examples {input.examples:q} --model {input.model:q} --out {output.out:q}"
        " --card {output.card:q} --record {output.record:q} --made {output:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule pose:
    input:
        movie=movie_file,
        index=at("index/{movie}.h5"),
        blobs=at("segment/{movie}.h5"),
        trajectories=at("smooth/{movie}.h5"),
        network=at("pose_train/pose.keras"),
        card=at("pose_train/pose.json"),
    output:
        out=at("pose/{movie}.h5"),
    log:
        at("logs/pose/{movie}.log"),
    benchmark:
        at("benchmarks/pose/{movie}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        settings=settings("pose"),
        version=stage_version("pose"),
    shell:
        "python -m herdbook.stages.pose --movie {input.movie:q} --index {input.index:q} --blobs {input.blobs:q}"
        " --trajectories {input.trajectories:q} --network {input.network:q} --pose_card {input.card:q}"
        " --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
